use super::Score;

#[test]
fn one_is_a_bot_and_ninety_nine_a_human() {
    let score = |logit_milli| Score::of_logit_milli(logit_milli).get();
    assert_eq!(score(0), 50);
    assert_eq!(score(2_000), 13);
    assert_eq!(score(-2_000), 87);
    assert_eq!((score(6_000), score(-6_000)), (1, 99));
    assert_eq!((score(i64::MAX), score(i64::MIN)), (1, 99));
}

#[test]
fn more_evidence_of_a_bot_never_raises_the_score_and_every_score_is_reached() {
    let scores: Vec<u8> =
        (-8_000..=8_000).map(|logit| Score::of_logit_milli(logit).get()).collect();
    assert!(scores.is_sorted_by(|before, after| before >= after));
    assert!((1..=99).all(|score| scores.contains(&score)));
}

#[test]
fn no_score_is_below_nothing() {
    assert!((0..=u8::MAX).all(|threshold| !Score::UNSCORED.is_below(threshold)));
    assert!(!Score::UNSCORED.is_scored() && !Score::default().is_scored());
    let bot = Score::of_logit_milli(9_000);
    assert!(bot.is_below(2) && !bot.is_below(1) && !bot.is_below(0));
    assert_eq!(bot.to_string(), "1");
}
