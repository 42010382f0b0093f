use std::{process::ExitCode, time::Duration};

use anyhow::Result;

use super::{Demo, Ports, quoted, typed};
use crate::{
    chain::{GUARDIANS, OPERATIONS},
    scene::{Journal, Staged},
    signals,
    tools::Tools,
};

/// Runs until a signal, then ends what it started.
pub(super) async fn run(tools: &Tools) -> Result<ExitCode> {
    let mut stop = std::pin::pin!(signals::ended());
    eprintln!("Greenlight's demo");
    let journal = Journal::default();
    let start = async {
        let demo = Demo::start(tools, Ports::usual(), &journal).await?;
        let (first, _) = demo.publish_first().await?;
        demo.publish_second().await?;
        anyhow::Ok((demo, first))
    };
    let (mut demo, first) = tokio::select! {
        started = start => started?,
        signal = &mut stop => anyhow::bail!("ended by {signal}"),
    };
    print!("{}", invitation(tools, &demo, &first));
    let ended_early = async {
        while demo.edge.is_running() {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    tokio::select! {
        _ = &mut stop => {}
        () = ended_early => anyhow::bail!("the edge ended; it said:\n{}", journal.tail(20)),
    }
    eprintln!("\nending the edge, the origin and the chain");
    demo.end().await?;
    Ok(ExitCode::SUCCESS)
}

fn invitation(tools: &Tools, demo: &Demo, first: &Staged) -> String {
    let Demo { scene, edge, .. } = demo;
    let (proxy, admin, rpc) = (edge.address, edge.admin, &scene.rpc().url);
    let greenlightctl = typed(tools, &tools.greenlightctl);
    let revive = format!(
        "GREENLIGHT_RPC={rpc} GREENLIGHT_REGISTRY={} GREENLIGHT_PRIVATE_KEY={} {greenlightctl} revive",
        scene.deployment.registry, OPERATIONS.key
    );
    let folder = scene.dir.path();
    let deployment = quoted(&folder.join("deployment.json").display().to_string());
    let guardian = |name: &str, act: &str| {
        let file = quoted(&folder.join(name).display().to_string());
        let [first, second, _] = GUARDIANS.map(|owner| owner.key);
        format!(
            "export GREENLIGHT_RPC={rpc} GREENLIGHT_DEPLOYMENT={deployment}\n\
             {greenlightctl} propose {act} --safe guardian --out {file}\n\
             GREENLIGHT_PRIVATE_KEY={first} {greenlightctl} sign {file}\n\
             GREENLIGHT_PRIVATE_KEY={second} {greenlightctl} sign {file}\n\
             GREENLIGHT_PRIVATE_KEY={first} {greenlightctl} execute {file}"
        )
    };
    let browser: String = ["User-Agent", "Accept", "Accept-Language", "Accept-Encoding"]
        .iter()
        .filter_map(|name| {
            Some(format!(
                " -H {}",
                quoted(&format!("{name}: {}", scene.requests.browser_field(name)?))
            ))
        })
        .collect();
    let status = format!("{} status --admin http://{admin}", typed(tools, &tools.greenlight));
    format!(
        "\n\
         proxy    http://{proxy}/  (blocks bots; /tag/ and /log/ let them pass, /limit/ some of them, /challenge/ those\n\
         \x20        that keep a cookie; /shadow/ only says what it would do)\n\
         admin    http://{admin}/status and /metrics\n\
         origin   http://{origin}/  (answers with what the proxy told it)\n\
         chain    {rpc}, registry {registry}\n\
         beacon   {beacon}, which the edge follows by its own light client\n\
         \n\
         Try, from the root of the repository:\n\
         \n\
         # a browser passes, with a high score\n\
         curl -sS -i http://{proxy}/{browser}\n\
         \n\
         # a bot is blocked\n\
         curl -sS -i http://{proxy}/\n\
         \n\
         # why: what the origin is told of it where it is only watched\n\
         curl -sS http://{proxy}/shadow/\n\
         \n\
         # one that keeps cookies passes a challenge\n\
         curl -sS -i -L -b '' http://{proxy}/challenge/\n\
         \n\
         # every edge goes back to the first artifact: two of the guardian's three owners sign, one of them sends it\n\
         {rollback}\n\
         \n\
         # every edge allows everything, in the same way: send the bot again\n\
         {kill}\n\
         \n\
         # what the edge runs, and why\n\
         {status}\n\
         \n\
         To take the kill back: {revive}\n\
         Ctrl-C ends it all.\n",
        origin = scene.origin.address,
        beacon = scene.endpoint.url,
        registry = scene.deployment.registry,
        rollback = guardian("rollback.proposal", &format!("rollback {}", first.id)),
        kill = guardian("kill.proposal", "kill"),
    )
}
