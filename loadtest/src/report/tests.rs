use super::*;

#[test]
fn a_report_is_made_before_the_run_and_written_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.json");
    let report = Report::create(Some(&path)).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "");
    assert!(report.write(&[1]).unwrap());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "[\n  1\n]\n");
    assert!(!Report::create(None).unwrap().write(&[1]).unwrap());
    let missing = folder.path().join("missing/report.json");
    let error = Report::create(Some(&missing)).unwrap_err().to_string();
    assert!(error.contains("missing/report.json; found: No such file"), "{error}");
}
