// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Create2} from "@openzeppelin/contracts/utils/Create2.sol";
import {ISafe} from "@safe-global/safe-smart-account/contracts/interfaces/ISafe.sol";
import {Deploy, Deployment} from "../script/Deploy.s.sol";
import {Holder, Plan, Plans, VerifierPlan} from "../script/Plan.sol";
import {Safes} from "../script/Safes.sol";
import {Verifiers} from "../script/Verifiers.sol";
import {vm} from "../script/Vm.sol";
import {Safeguarded} from "./kit/Safeguarded.sol";

/// @notice What deployments make of a plan, and which plans they refuse.
contract DeployTest is Safeguarded {
    // -------------------------------------------------------------------------------------------------------- Safes

    function test_eachSafeHasItsOwners() public view {
        _assertSafe(deployment.holders.publisher, plan().publisher);
        _assertSafe(deployment.holders.guardian, plan().guardian);
        _assertSafe(deployment.holders.operations, plan().operations);
        _assertSafe(deployment.holders.admin, plan().admin);
        assertEq(deployment.holders.promoter, deployment.holders.publisher, "the publisher promotes");
    }

    /// @dev CREATE2 of the published bytecode through Safe's singleton factory, with salt 0.
    function test_theBytecodeIsThatOfTheCanonicalAddresses() public view {
        Plan memory mainnet = Plans.load("networks/mainnet.toml");
        assertEq(_canonical("Safe.sol/Safe"), mainnet.safe.singleton, "singleton");
        assertEq(_canonical("proxies/SafeProxyFactory.sol/SafeProxyFactory"), mainnet.safe.proxyFactory, "factory");
        assertEq(
            _canonical("handler/CompatibilityFallbackHandler.sol/CompatibilityFallbackHandler"),
            mainnet.safe.fallbackHandler,
            "handler"
        );
    }

    function test_safeContractsThatAreThereAreUsed() public {
        Plan memory next = plan();
        next.safe = deployment.safe;
        next.publisher.salt = 2;
        Deployment memory second = script.deploy(next, address(script));
        assertEq(second.safe.singleton, deployment.safe.singleton, "singleton");
        _assertSafe(second.holders.publisher, next.publisher);
        assertTrue(second.holders.publisher != deployment.holders.publisher, "another salt");
        assertEq(second.holders.guardian, deployment.holders.guardian, "the same Safe, which is there");
    }

    function test_refusesOtherContractsThanSafes() public {
        Plan memory odd = plan();
        odd.safe = deployment.safe;
        odd.safe.singleton = address(registry);
        _refuses(odd, abi.encodeWithSelector(Safes.NotOfSafe.selector, "Safe", address(registry)));
        odd.safe = deployment.safe;
        odd.safe.fallbackHandler = address(0x1234);
        _refuses(odd, abi.encodeWithSelector(Safes.NotOfSafe.selector, "CompatibilityFallbackHandler", address(0x1234)));
    }

    function test_takesASafeThatIsThere() public {
        Plan memory next = plan();
        next.safe = deployment.safe;
        next.guardian.account = deployment.holders.guardian;
        assertEq(script.deploy(next, address(script)).holders.guardian, deployment.holders.guardian, "guardian");
        next.guardian.account = address(registry);
        _refuses(next, abi.encodeWithSelector(Safes.NotOfSafe.selector, "SafeProxy", address(registry)));
        next.guardian = account(deployment.holders.guardian);
        _refuses(
            next, abi.encodeWithSelector(Deploy.HolderIsContract.selector, "guardian", deployment.holders.guardian)
        );
    }

    // ------------------------------------------------------------------------------------------------------ the plan

    function test_refusesAnotherChain() public {
        vm.chainId(1);
        _refuses(plan(), abi.encodeWithSelector(Plans.OtherChain.selector, 31_337, 1));
    }

    function test_refusesSamplesThatNobodyFilledIn() public {
        Plan memory mainnet = Plans.load("networks/mainnet.toml");
        vm.chainId(1);
        _refuses(mainnet, abi.encodeWithSelector(Plans.BadOwner.selector, "admin", address(0)));
        Plan memory sepolia = Plans.load("networks/sepolia.toml");
        vm.chainId(11_155_111);
        _refuses(sepolia, abi.encodeWithSelector(Plans.BadOwner.selector, "admin", address(0)));
    }

    function test_theLocalSampleIsDeployed() public {
        Plan memory local = Plans.load("networks/local.toml");
        Deployment memory sample = script.deploy(local, address(script));
        _assertSafe(sample.holders.publisher, local.publisher);
        assertEq(sample.registry.coolingOff(), 30, "coolingOff");
        assertEq(sample.registry.stagingPeriod(), 1 days, "stagingPeriod");
    }

    function test_refusesAMissingHolder() public {
        Plan memory incomplete = plan();
        incomplete.guardian = Holder(address(0), new address[](0), 0, 0);
        _refuses(incomplete, abi.encodeWithSelector(Plans.MissingHolder.selector, "guardian"));
    }

    function test_refusesThresholdsThatNobodyReaches() public {
        Plan memory odd = plan();
        odd.guardian.threshold = 0;
        _refuses(odd, abi.encodeWithSelector(Plans.BadThreshold.selector, "guardian", 0, 3));
        odd.guardian.threshold = 4;
        _refuses(odd, abi.encodeWithSelector(Plans.BadThreshold.selector, "guardian", 4, 3));
    }

    function test_refusesOwnersThatAreNone() public {
        Plan memory odd = plan();
        odd.publisher.owners[2] = odd.publisher.owners[0];
        _refuses(odd, abi.encodeWithSelector(Plans.BadOwner.selector, "publisher", odd.publisher.owners[0]));
        odd.publisher.owners[2] = Safes.SENTINEL;
        _refuses(odd, abi.encodeWithSelector(Plans.BadOwner.selector, "publisher", Safes.SENTINEL));
    }

    function test_refusesAPowerfulDeployer() public {
        Plan memory own = plan();
        own.operations = account(address(script));
        _refuses(own, abi.encodeWithSelector(Plans.DeployerHoldsRole.selector, address(script)));
        own = plan();
        own.admin.owners[1] = address(script);
        _refuses(own, abi.encodeWithSelector(Plans.DeployerHoldsRole.selector, address(script)));
    }

    function test_refusesAGuardianWhoPromotes() public {
        Plan memory confused = plan();
        confused.guardian.owners[0] = confused.publisher.owners[0];
        script.deploy(confused, address(script));
        confused.guardian.owners[1] = confused.publisher.owners[1];
        _refusesGuardian(confused, "publisher", 2, 2, 2);
        // One on both sides, without whom the guardian cannot act.
        confused = plan();
        confused.guardian.owners[0] = confused.publisher.owners[0];
        confused.guardian.threshold = 3;
        _refusesGuardian(confused, "publisher", 1, 2, 3);
        // One who is enough on the other side.
        confused = plan();
        confused.promoter = account(confused.guardian.owners[1]);
        _refusesGuardian(confused, "promoter", 1, 1, 2);
        confused = plan();
        confused.publisher = account(PUBLISHER);
        confused.guardian = account(PUBLISHER);
        _refusesGuardian(confused, "publisher", 1, 1, 1);
    }

    function test_refusesAMissingDelay() public {
        Plan memory hasty = plan();
        hasty.promoteDelay = 0;
        _refuses(hasty, abi.encodeWithSelector(Plans.MissingDelay.selector, "promote"));
        hasty = plan();
        hasty.operationsDelay = 0;
        _refuses(hasty, abi.encodeWithSelector(Plans.MissingDelay.selector, "operations"));
        hasty = plan();
        hasty.adminDelay = 0;
        _refuses(hasty, abi.encodeWithSelector(Plans.MissingDelay.selector, "admin"));
    }

    function test_onALocalChainAloneThereNeedBeNoCoolingOff() public {
        Plan memory hasty = plan();
        hasty.coolingOff = 0;
        script.deploy(hasty, address(script));
        hasty.chainId = 1;
        vm.chainId(1);
        _refuses(hasty, abi.encodeWithSelector(Plans.MissingDelay.selector, "cooling_off"));
    }

    function test_refusesAnAdministratorFasterThanTheTimelock() public {
        Plan memory hasty = plan();
        (hasty.promoteDelay, hasty.operationsDelay, hasty.adminDelay) = (3 days, 2 days, 3 days - 1);
        bytes memory reason =
            abi.encodeWithSelector(Plans.AdminDelayTooShort.selector, uint32(3 days - 1), uint32(3 days));
        _refuses(hasty, reason);
        (hasty.promoteDelay, hasty.operationsDelay) = (2 days, 3 days);
        _refuses(hasty, reason);
        hasty.adminDelay = 3 days;
        script.deploy(hasty, address(script));
    }

    function test_refusesACoolingOffThatOutlastsADelay() public {
        Plan memory long = plan();
        long.coolingOff = PROMOTE_DELAY + 1;
        _refuses(long, abi.encodeWithSelector(Plans.CoolingOffTooLong.selector, PROMOTE_DELAY + 1, PROMOTE_DELAY));
        long.coolingOff = PROMOTE_DELAY;
        script.deploy(long, address(script));
        (long.promoteDelay, long.operationsDelay) = (3 days, 1 days);
        _refuses(long, abi.encodeWithSelector(Plans.CoolingOffTooLong.selector, PROMOTE_DELAY, uint32(1 days)));
    }

    function test_refusesAStagingPeriodThatNoPromotionFitsInto() public {
        Plan memory short = plan();
        short.stagingPeriod = PROMOTE_DELAY;
        _refuses(short, abi.encodeWithSelector(Plans.StagingPeriodTooShort.selector, PROMOTE_DELAY, PROMOTE_DELAY));
    }

    function test_refusesVerifiersThatThereAreNot() public {
        Plan memory odd = plan();
        odd.verifiers = new VerifierPlan[](0);
        _refuses(odd, abi.encodeWithSelector(Plans.MissingVerifier.selector));
        odd = plan();
        odd.verifiers[0].engine = 2;
        _refuses(odd, abi.encodeWithSelector(Verifiers.UnknownVerifier.selector, "calldata", 2));
        odd.verifiers[0] = VerifierPlan("credulous", 1);
        _refuses(odd, abi.encodeWithSelector(Verifiers.UnknownVerifier.selector, "credulous", 1));
    }

    // ------------------------------------------------------------------------------------------------------ the file

    function test_refusesKeysThatMeanNothing() public {
        string memory local = vm.readFile("networks/local.toml");
        _refusesFile(
            "a", string.concat("colour = 1\n", local), abi.encodeWithSelector(Plans.UnknownKey.selector, "colour")
        );
        _refusesFile(
            "b", string.concat(local, "budget = 1\n"), abi.encodeWithSelector(Plans.UnknownKey.selector, "budget")
        );
        _refusesFile("c", "chain_id = 31337\n", abi.encodeWithSelector(Plans.MissingKey.selector, ".holders"));
        _refusesFile(
            "d",
            "chain_id = 31337\n[holders.publisher]\nowners = [\"0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC\"]\n",
            abi.encodeWithSelector(Plans.MissingKey.selector, ".holders.publisher.threshold")
        );
        _refusesFile(
            "e",
            "chain_id = 31337\n[holders.guardian]\n",
            abi.encodeWithSelector(Plans.MissingHolder.selector, "guardian")
        );
        _refusesFile(
            "f",
            "chain_id = 31337\n[holders]\n[delays]\npromote = 4294967296\n",
            abi.encodeWithSelector(Plans.DelayTooLong.selector, "promote", 4_294_967_296)
        );
    }

    // -------------------------------------------------------------------------------------------------------- helpers

    /// @dev For `expectRevert`, which is about calls.
    function load(string calldata path) external view returns (Plan memory) {
        return Plans.load(path);
    }

    function _refusesFile(string memory name, string memory toml, bytes memory reason) private {
        string memory path = string.concat("deployments/31337-test-", name, ".toml");
        vm.createDir("deployments", true);
        vm.writeFile(path, toml);
        (bool ok, bytes memory found) = address(this).call(abi.encodeCall(this.load, (path)));
        vm.removeFile(path);
        assertEq(ok, false, name);
        assertEq(keccak256(found), keccak256(reason), name);
    }

    function _refuses(Plan memory refused, bytes memory reason) private {
        vm.expectRevert(reason);
        script.deploy(refused, address(script));
    }

    function _refusesGuardian(
        Plan memory refused,
        string memory other,
        uint256 shared,
        uint256 othersThreshold,
        uint256 guardiansThreshold
    ) private {
        bytes4 selector = Plans.GuardianNotIndependent.selector;
        _refuses(refused, abi.encodeWithSelector(selector, other, shared, othersThreshold, guardiansThreshold));
    }

    function _assertSafe(address at_, Holder memory planned) private view {
        ISafe found = ISafe(payable(at_));
        assertEq(found.VERSION(), "1.5.0", "version");
        assertEq(found.getThreshold(), planned.threshold, "threshold");
        assertEq(keccak256(abi.encode(found.getOwners())), keccak256(abi.encode(planned.owners)), "owners");
        assertEq(found.nonce(), 0, "nonce");
    }

    function _canonical(string memory name) private view returns (address) {
        bytes memory code = vm.getCode(
            string.concat("node_modules/@safe-global/safe-smart-account/build/artifacts/contracts/", name, ".json")
        );
        return Create2.computeAddress(0, keccak256(code), 0x914d7Fec6aaC8cd542e72Bca78B30650d45643d7);
    }
}
