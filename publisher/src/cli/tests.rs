use clap::{CommandFactory as _, error::ErrorKind};

use super::*;

fn refusal(arguments: &[&str]) -> ErrorKind {
    Cli::try_parse_from(["greenlightctl"].iter().chain(arguments)).unwrap_err().kind()
}

#[test]
fn the_command_line_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn a_target_is_an_id_or_a_digest() {
    let digest = format!("0x{}", "ab".repeat(32));
    assert_eq!("7".parse(), Ok(Target::Id(7)));
    assert_eq!("0".parse(), Ok(Target::Id(0)), "the contract is the one to refuse it");
    assert_eq!(digest.parse(), Ok(Target::Digest(Digest([0xab; 32]))));
    for text in ["", "-1", "4294967296", "0x12", "latest", &"ab".repeat(32)] {
        assert_eq!(text.parse::<Target>(), Err(NameError { found: text.into() }));
    }
}

#[test]
fn no_command_takes_a_key_as_an_argument() {
    for command in Cli::command().get_subcommands() {
        for argument in command.get_arguments() {
            let long = argument.get_long().unwrap_or_default();
            // A proving key is public.
            let named = ["keystore", "proving-key"].contains(&long);
            assert!(!long.contains("key") || named, "{} --{long}", command.get_name());
            assert!(
                !long.contains("password") || long == "password-file",
                "{} --{long}",
                command.get_name()
            );
        }
    }
    assert_eq!(refusal(&["kill", "--private-key", "0x01"]), ErrorKind::UnknownArgument);
}

#[test]
fn bad_usage_is_refused() {
    assert_eq!(refusal(&["promote"]), ErrorKind::MissingRequiredArgument);
    assert_eq!(refusal(&["promote", "one"]), ErrorKind::ValueValidation);
    assert_eq!(refusal(&["promote", "1", "--canary-bps", "0"]), ErrorKind::ValueValidation);
    assert_eq!(refusal(&["promote", "1", "--canary-bps", "10001"]), ErrorKind::ValueValidation);
    assert_eq!(
        refusal(&["promote", "1", "--no-wait", "--max-wait", "5"]),
        ErrorKind::ArgumentConflict
    );
    assert_eq!(refusal(&["kill", "--registry", "0x1234"]), ErrorKind::ValueValidation);
    assert_eq!(refusal(&["build", "x.json"]), ErrorKind::MissingRequiredArgument);
    assert_eq!(refusal(&["kill", "--password-file", "p"]), ErrorKind::MissingRequiredArgument);
    assert_eq!(refusal(&["stage", "f", "--blob"]), ErrorKind::MissingRequiredArgument);
    assert_eq!(
        refusal(&["stage", "f", "--proof", "p", "--unchecked"]),
        ErrorKind::ArgumentConflict
    );
    assert_eq!(refusal(&["stage-all"]), ErrorKind::InvalidSubcommand);
}
