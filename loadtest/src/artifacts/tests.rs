use greenlight_artifact::source::Source;

use super::*;

fn sample() -> ValidArtifact {
    let source = include_str!("../../../config/sample.json");
    Source::from_json(source).unwrap().encode(&[Schema::ENGINE_1]).unwrap()
}

fn reason(bytes: &[u8]) -> &'static str {
    ValidArtifact::check(bytes, &[Schema::ENGINE_1])
        .map_or_else(|defect| defect.reason(), |_| "valid")
}

#[test]
fn each_file_breaks_the_invariant_that_it_is_meant_to() {
    let sample = sample();
    assert_eq!(reason(&with_rows(&sample, 200).unwrap()), "valid");
    assert_eq!(reason(&with_rows(&sample, 201).unwrap()), "size");
    assert_eq!(reason(&doubled(&sample, sample.rows().len())), "size");
    assert_eq!(reason(&doubled(&sample, 75)), "key-duplicate");
    assert_eq!(reason(&with_a_duplicate(&sample)), "key-duplicate");
    assert_eq!(reason(&reencoded(&sample)), "key-order");
    assert_eq!(reason(&too_dear(&sample).unwrap()), "cost");
}

#[test]
fn the_dearest_table_takes_all_rows_and_all_of_the_budget() {
    let dearest = dearest(&sample()).unwrap();
    assert_eq!(dearest.rows().len(), MAX_ROWS);
    assert_eq!(cost(&dearest), Schema::ENGINE_1.budget);
}

#[test]
fn a_label_changes_the_digest_and_nothing_else() {
    let sample = sample();
    let other = labelled(&sample, "other").unwrap();
    assert_ne!(other.digest(), sample.digest());
    assert!(other.rows().eq(sample.rows()));
}
