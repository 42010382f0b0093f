use super::*;

const SECONDS: u64 = 1000;

#[test]
fn slots_count_from_genesis_and_stay_at_zero_before_it() {
    let network = Network::mainnet();
    let genesis = 1_606_824_023 * SECONDS;
    assert_eq!(network.slot_at(0), 0);
    assert_eq!(network.slot_at(genesis - 1), 0);
    assert_eq!(network.slot_at(genesis + 12 * SECONDS - 1), 0);
    assert_eq!(network.slot_at(genesis + 12 * SECONDS), 1);
    assert_eq!(network.slot_start_ms(1), genesis + 12 * SECONDS);
    // Dencun: slot 8626176 at 2024-03-13 13:55:35 UTC.
    assert_eq!(network.slot_start_ms(269_568 * 32), 1_710_338_135 * SECONDS);
    assert_eq!(network.slot_at(1_710_338_135 * SECONDS), 8_626_176);
}

#[test]
fn no_time_and_no_slot_length_overflows() {
    let mut network = Network::mainnet();
    assert_eq!(network.slot_start_ms(u64::MAX), u64::MAX);
    assert!(network.slot_at(u64::MAX) > 0);
    network.slot_duration = Duration::ZERO;
    assert_eq!(network.slot_at(u64::MAX), 0);
    network.slot_duration = Duration::MAX;
    assert_eq!(network.slot_at(u64::MAX), 0);
    network.genesis_time = u64::MAX;
    assert_eq!(network.slot_at(u64::MAX), 0);
}

#[test]
fn periods_have_the_length_of_their_preset() {
    let mut network = Network::mainnet();
    assert_eq!((network.epoch_of(8191), network.period_of(8191)), (255, 0));
    assert_eq!((network.epoch_of(8192), network.period_of(8192)), (256, 1));
    network.preset = Preset::Minimal;
    assert_eq!((network.epoch_of(63), network.period_of(63)), (7, 0));
    assert_eq!((network.epoch_of(64), network.period_of(64)), (8, 1));
}

#[test]
fn each_fork_comes_at_its_epoch_with_its_version() {
    for (network, expected) in [
        (
            Network::mainnet(),
            [74_240, 144_896, 194_048, 269_568, 364_032, 411_392].map(|epoch| (epoch, epoch - 1)),
        ),
        (
            Network::sepolia(),
            [50, 100, 56_832, 132_608, 222_464, 272_640].map(|epoch| (epoch, epoch - 1)),
        ),
    ] {
        for (index, (epoch, before)) in expected.into_iter().enumerate() {
            assert_eq!(network.fork_at(epoch), Some(Fork::ALL[index]), "{}", network.name);
            assert_eq!(network.fork_at(before), index.checked_sub(1).map(|last| Fork::ALL[last]));
        }
        assert_eq!(network.fork_version_at(0), network.forks.genesis);
        assert_eq!(network.fork_at(u64::MAX), Some(Fork::Fulu));
    }
    assert_eq!(Network::mainnet().fork_version_at(411_392), [6, 0, 0, 0]);
    assert_eq!(Network::sepolia().fork_version_at(272_640), [0x90, 0, 0, 0x75]);
}

#[test]
fn of_forks_at_one_epoch_the_last_is_in_force() {
    let hoodi = Network::hoodi();
    assert_eq!(hoodi.fork_at(0), Some(Fork::Deneb));
    assert_eq!(hoodi.fork_version_at(0), [0x50, 0, 0x09, 0x10]);
    assert_eq!(hoodi.fork_at(2048), Some(Fork::Electra));
    assert_eq!(hoodi.fork_version_at(50_688), [0x70, 0, 0x09, 0x10]);
}

#[test]
fn names_are_those_of_the_beacon_api() {
    for fork in Fork::ALL {
        assert_eq!(Fork::from_name(fork.name()).unwrap(), fork);
    }
    for name in ["gloas", "phase0", "Electra", "", &"x".repeat(10_000)] {
        let error = Fork::from_name(name).unwrap_err();
        assert_eq!(error.reason(), "unknown-fork");
        assert!(error.to_string().len() < 150);
    }
    for name in ["mainnet", "sepolia", "hoodi"] {
        assert_eq!(Network::named(name).unwrap().name, name);
    }
    assert_eq!(Network::named("holesky"), None);
}
