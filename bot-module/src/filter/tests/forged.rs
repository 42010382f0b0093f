use super::{HUMAN, blocking, filter, model};
use crate::{
    filter::fields::is_ours,
    test_server::{Edge, Setup},
};

#[test]
fn what_a_client_says_about_itself_never_reaches_the_origin() {
    for with_module in [true, false] {
        let edge = Edge::start(Setup { with_module, ..Setup::of(filter(blocking()).build()) });
        let answer = edge.ask(&format!(
            "{HUMAN}X-Bot-Score: 99\r\nx-bot-score: 98\r\nX-BOT-VERDICT: allow\r\nx-bot-artifact: feed\r\n\
             x-bot-anything: 1\r\nX_Bot_Score: 97\r\nx-bot_verdict: allow\r\nX.Bot.Score: 96\r\n\
             x-both: kept\r\nx-bot: kept\r\nConnection: x-bot-score, keep-me\r\nKeep-Me: 1\r\n"
        ));
        assert_eq!(answer.status, 200);
        assert_eq!(answer.sent("x-bot-score"), ["94"]);
        assert_eq!(answer.sent("x-bot-verdict"), ["allow"]);
        assert_eq!(answer.sent("x-bot-artifact"), [model().digest().short()]);
        for forged in ["x-bot-anything", "x_bot_score", "x-bot_verdict", "x.bot.score"] {
            assert_eq!(answer.sent(forged), [""; 0], "{forged}");
        }
        assert_eq!((answer.sent("x-both"), answer.sent("x-bot")), (vec!["kept"], vec!["kept"]));
        assert_eq!(
            answer.sent("keep-me"),
            [""; 0],
            "Pingora drops what Connection names, but not our field"
        );
        assert_eq!(edge.bots.counters().forged, 1);
    }
}

#[test]
fn knows_its_own_names_however_an_origin_may_read_them() {
    for name in ["x-bot-score", "X-Bot-Score", "x_bot_score", "X-BOT_", "x.bot~a", "x-bot-"] {
        assert!(is_ours(name.as_bytes()), "{name}");
    }
    for name in
        ["x-bot", "x-bots-score", "x-both", "xbot-score", "-x-bot-score", "ax-bot-score", ""]
    {
        assert!(!is_ours(name.as_bytes()), "{name}");
    }
}
