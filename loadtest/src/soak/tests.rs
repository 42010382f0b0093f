use super::*;

#[test]
fn a_soak_lasts_its_minutes_at_its_speed() {
    let plan = Plan::new(30, 20, Size::Minimal).unwrap();
    assert_eq!((plan.slots, plan.slot), (300, Duration::from_millis(300)));
    assert_eq!(plan.lasts(), Duration::from_secs(90));
}

#[test]
fn a_soak_in_which_too_few_periods_end_is_refused_with_what_would_be_enough() {
    let refused = |minutes, size| Plan::new(minutes, 20, size).unwrap_err().to_string();
    assert!(refused(12, Size::Minimal).contains("--minutes 13 or more"));
    assert!(Plan::new(13, 20, Size::Minimal).is_ok());
    let error = refused(30, Size::Mainnet);
    assert!(error.contains("16384") && error.contains("--minutes 3277 or more"), "{error}");
    assert!(error.contains("--preset minimal"), "{error}");
}

#[test]
fn memory_that_grows_and_periods_that_are_skipped_are_found() {
    let judged = |rss_mib: Vec<f64>, periods: &[u64]| {
        let mut findings = Findings::default();
        Looks { rss_mib, periods: periods.iter().copied().collect(), stale: 0 }
            .judge(&mut findings);
        findings.failures
    };
    let flat = || vec![20.0, 30.0, 30.0, 31.0, 30.0, 31.0, 30.0, 31.0];
    assert_eq!(judged(flat(), &[7, 8, 9]), Vec::<String>::new());
    assert_eq!(judged(flat(), &[7, 8]).len(), 1);
    assert_eq!(judged(flat(), &[7, 9, 10]).len(), 1);
    let grows = (0..40).map(f64::from).collect();
    assert_eq!(judged(grows, &[7, 8, 9]).len(), 1);
}
