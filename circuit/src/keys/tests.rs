use super::*;
use crate::r1cs::tiny;

#[test]
fn a_key_proves_what_the_constraints_say_and_nothing_else() {
    let (r1cs, assignment) = (tiny::r1cs(), tiny::assignment(3));
    assert_eq!(r1cs.satisfied(&assignment), Ok(()));
    let key = development(&r1cs, 7).unwrap();
    tiny::assert_proves(&key.points);
}

#[test]
fn the_development_key_is_the_same_everywhere() {
    let key = development(&tiny::r1cs(), 7).unwrap();
    assert!(key.development && key.verifying_key().development);
    assert_eq!(
        hex::encode(key.verifying_key().hash()),
        "d0905de39e365922a51123dbe78002be5dbc579c5851379130a6f31ad918782e"
    );
}

#[test]
fn a_file_is_read_as_it_was_written_and_not_otherwise() {
    let key = development(&tiny::r1cs(), 7).unwrap();
    let bytes = key.to_bytes();
    assert_eq!(ProvingKey::from_bytes(&bytes).unwrap(), key);

    for length in 0..bytes.len() {
        assert!(ProvingKey::from_bytes(&bytes[..length]).is_err(), "the first {length} bytes");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(matches!(ProvingKey::from_bytes(&longer), Err(KeyFileError::Length { .. })));
    for place in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[place] ^= 1;
        let error = ProvingKey::from_bytes(&damaged).unwrap_err();
        let right = match place {
            0..4 => matches!(error, KeyFileError::Magic { .. }),
            4..6 => matches!(error, KeyFileError::Format { .. }),
            // A development key is one without a ceremony: the flag cannot be flipped unseen either.
            6 => matches!(error, KeyFileError::Hash { .. }),
            7 => matches!(error, KeyFileError::Flags { .. }),
            12..24 => matches!(error, KeyFileError::Length { .. }),
            _ => matches!(error, KeyFileError::Hash { .. }),
        };
        assert!(right, "byte {place}: {error}");
    }
    // Counts of a hostile file ask for no memory.
    let mut huge = bytes;
    huge[12..24].fill(0xff);
    assert!(matches!(ProvingKey::from_bytes(&huge), Err(KeyFileError::Length { .. })));
}

#[test]
fn the_development_key_is_derived_once_and_again_where_its_file_is_damaged() {
    let (directory, r1cs) = (tempfile::tempdir().unwrap(), tiny::r1cs());
    let key = cached_development(&r1cs, 7, directory.path()).unwrap();
    let file = std::fs::read_dir(directory.path()).unwrap().next().unwrap().unwrap().path();
    assert_eq!(ProvingKey::load(&file).unwrap(), key);
    std::fs::write(&file, b"GLPK").unwrap();
    assert_eq!(cached_development(&r1cs, 7, directory.path()).unwrap(), key);
    assert_eq!(ProvingKey::load(&file).unwrap(), key);
}
