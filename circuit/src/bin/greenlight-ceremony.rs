//! The setup ceremony on the command line. `circuit/README.md` says who runs what, and when.

use std::{
    fmt,
    fs::File,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use greenlight_circuit::{
    CIRCUIT_VERSION,
    ceremony::{
        self, Beacon, CeremonyError, Chain, ITERATIONS, MAX_ENTROPY, MAX_PHASE2_FILE,
        MAX_POWERS_FILE, Origin, Phase2, Powers, specialize,
    },
    keys::{KeyFileError, ProvingKey, VerifyingKey, cache_directory, cached_development},
    points::Check,
    r1cs, solidity, write_file,
};
use zeroize::Zeroizing;

/// Makes the circuit's keys so that no single party knows their secrets.
#[derive(Debug, Parser)]
#[command(name = "greenlight-ceremony", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Begin phase 1, the powers of tau.
    New {
        /// Circuits of up to 2 to the power of this many rows; without it, what this version's circuit needs.
        #[arg(long)]
        power: Option<u32>,
        /// Where to write the powers.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Verify a file and contribute to it. Prints the transcript, which contributors publish.
    Contribute {
        /// The newest file of phase 1 or 2.
        file: PathBuf,
        /// Phase 2: the specialized key, as `prepare` writes it.
        #[arg(long, value_name = "FILE")]
        specialized: Option<PathBuf>,
        /// Text to mix into the secrets, beside the system's randomness; - reads it from stdin.
        #[arg(long, value_name = "FILE")]
        entropy: Option<PathBuf>,
        /// Where to write the file for the next contributor.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// End a phase by a public value that nobody could foresee.
    Beacon {
        /// The newest file of phase 1 or 2.
        file: PathBuf,
        /// Phase 2: the specialized key, as `prepare` writes it.
        #[arg(long, value_name = "FILE")]
        specialized: Option<PathBuf>,
        /// The value, 32 bytes in hex: the hash of a block, or a round of drand.
        #[arg(long, value_name = "HEX")]
        value: String,
        /// SHA-256 is iterated 2 to the power of this.
        #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u8).range(i64::from(*ITERATIONS.start())..=i64::from(*ITERATIONS.end())))]
        iterations: u8,
        /// Where to write the file.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Check every step of a file, and print the transcript after each.
    Verify {
        /// A file of phase 1 or 2.
        file: PathBuf,
        /// Phase 2: the ended powers, from which everything is made again.
        #[arg(long, value_name = "FILE")]
        powers: Option<PathBuf>,
        /// Phase 2: a specialized key that you made yourself from those powers, to save the time.
        #[arg(long, value_name = "FILE")]
        specialized: Option<PathBuf>,
        /// A transcript that must be among them, such as that of your own turn.
        #[arg(long, value_name = "HEX")]
        contains: Vec<String>,
    },
    /// Verify ended powers, specialize them to this version's circuit, and begin phase 2.
    Prepare {
        /// The ended powers.
        powers: PathBuf,
        /// Where to write the specialized key.
        #[arg(long, value_name = "FILE")]
        specialized: PathBuf,
        /// Where to write the file of phase 2.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Verify an ended phase 2 and write the proving key.
    Export {
        /// The ended file of phase 2.
        file: PathBuf,
        /// The ended powers.
        #[arg(long, value_name = "FILE")]
        powers: PathBuf,
        /// A specialized key that you made yourself from those powers, to save the time.
        #[arg(long, value_name = "FILE")]
        specialized: Option<PathBuf>,
        /// Where to write the proving key.
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// Where to write the verifying key for Solidity.
        #[arg(long, value_name = "FILE")]
        solidity: Option<PathBuf>,
    },
    /// Write contracts/src/verifiers/VerifyingKey.sol.
    Solidity {
        /// The proving key; without it, the development key, under which anyone can forge.
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
        /// Where to write it.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

/// Why nothing was made.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("{}: {error}", path.display())]
    Io { path: PathBuf, error: io::Error },
    #[error("{}: expected at most {max} bytes; found more", path.display())]
    TooLarge { path: PathBuf, max: u64 },
    #[error("{}: {error}", path.display())]
    Ceremony { path: PathBuf, error: CeremonyError },
    #[error(transparent)]
    Key(#[from] KeyFileError),
    #[error("{option}: expected {expected}; found {found:?}")]
    Value { option: &'static str, expected: &'static str, found: String },
    #[error("phase 2: give {option}")]
    Missing { option: &'static str },
    #[error("{}: expected transcript {} among its contributions; found none", path.display(), hex::encode(transcript))]
    NotContained { path: PathBuf, transcript: [u8; 32] },
    #[error("the system gives no randomness: {0}")]
    Random(rand::rand_core::OsError),
    #[error("circuit: {0}")]
    Shape(#[from] greenlight_circuit::r1cs::ShapeError),
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "greenlight-ceremony: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<(), Error> {
    match command {
        Command::New { power, out } => {
            let needed = r1cs().domain()?.log_size_of_group;
            let powers = Powers::new(power.unwrap_or(needed)).map_err(of(&out))?;
            write(&out, &powers.to_bytes())
        }
        Command::Contribute { file, specialized, entropy, out } => {
            let text = entropy.as_deref().map(self::entropy).transpose()?.unwrap_or_default();
            match Phase::load(&file, specialized.as_deref())? {
                Phase::One(mut powers) => {
                    powers.verify().map_err(of(&file))?;
                    let secrets = ceremony::random(&text).map_err(Error::Random)?;
                    powers.contribute(&secrets).map_err(of(&file))?;
                    write(&out, &powers.to_bytes())?;
                    say(&transcript(powers.chain()));
                }
                Phase::Two(mut phase2, specialized) => {
                    phase2.verify(phase2.powers(), &specialized).map_err(of(&file))?;
                    let secrets = ceremony::random(&text).map_err(Error::Random)?;
                    phase2.contribute(&secrets).map_err(of(&file))?;
                    write(&out, &phase2.to_bytes())?;
                    say(&transcript(phase2.chain()));
                }
            }
            Ok(())
        }
        Command::Beacon { file, specialized, value, iterations, out } => {
            let beacon = Beacon { value: word("--value", &value)?, iterations };
            match Phase::load(&file, specialized.as_deref())? {
                Phase::One(mut powers) => {
                    powers.verify().map_err(of(&file))?;
                    powers.end(beacon).map_err(of(&file))?;
                    write(&out, &powers.to_bytes())?;
                    say(&transcript(powers.chain()));
                }
                Phase::Two(mut phase2, specialized) => {
                    phase2.verify(phase2.powers(), &specialized).map_err(of(&file))?;
                    phase2.end(beacon).map_err(of(&file))?;
                    write(&out, &phase2.to_bytes())?;
                    say(&transcript(phase2.chain()));
                }
            }
            Ok(())
        }
        Command::Verify { file, powers, specialized, contains } => {
            let contains: Vec<_> =
                contains.iter().map(|text| word("--contains", text)).collect::<Result<_, _>>()?;
            let bytes = read(&file, MAX_POWERS_FILE.max(MAX_PHASE2_FILE))?;
            if bytes.first_chunk() == Some(b"GLP2") {
                let powers = powers.ok_or(Error::Missing { option: "--powers" })?;
                let (phase2, _) = verified(&file, &bytes, &powers, specialized.as_deref())?;
                report(phase2.chain(), &file, &contains)
            } else {
                let powers = Powers::from_bytes(&bytes, Check::Full).map_err(of(&file))?;
                powers.verify().map_err(of(&file))?;
                report(powers.chain(), &file, &contains)
            }
        }
        Command::Prepare { powers: file, specialized, out } => {
            let powers = ended(&file)?;
            let key = specialize(&powers, r1cs(), CIRCUIT_VERSION).map_err(of(&file))?;
            key.save(&specialized)?;
            let phase2 = Phase2::new(&powers, &key).map_err(of(&file))?;
            write(&out, &phase2.to_bytes())?;
            say(&transcript(phase2.chain()));
            Ok(())
        }
        Command::Export { file, powers, specialized, key, solidity } => {
            let bytes = read(&file, MAX_PHASE2_FILE)?;
            let (phase2, specialized) = verified(&file, &bytes, &powers, specialized.as_deref())?;
            let exported = phase2.key(&specialized).map_err(|error| of(&file)(error.into()))?;
            exported.save(&key)?;
            if let Some(path) = solidity {
                write(&path, solidity::verifying_key(&exported.verifying_key()).as_bytes())?;
            }
            say(&Exported(exported.verifying_key()));
            Ok(())
        }
        Command::Solidity { key, out } => {
            let key = match key {
                Some(path) => ProvingKey::load(&path)?,
                None => cached_development(r1cs(), CIRCUIT_VERSION, &cache_directory())?,
            };
            write(&out, solidity::verifying_key(&key.verifying_key()).as_bytes())?;
            say(&Exported(key.verifying_key()));
            Ok(())
        }
    }
}

/// A file of either phase, phase 2 with the key that it began with.
enum Phase {
    One(Powers),
    Two(Phase2, Box<ProvingKey>),
}

impl Phase {
    fn load(path: &Path, specialized: Option<&Path>) -> Result<Self, Error> {
        let bytes = read(path, MAX_POWERS_FILE.max(MAX_PHASE2_FILE))?;
        if bytes.first_chunk() == Some(b"GLP2") {
            let phase2 = Phase2::from_bytes(&bytes, Check::Full).map_err(of(path))?;
            let specialized = specialized.ok_or(Error::Missing { option: "--specialized" })?;
            Ok(Self::Two(phase2, Box::new(ProvingKey::load(specialized)?)))
        } else {
            Ok(Self::One(Powers::from_bytes(&bytes, Check::Full).map_err(of(path))?))
        }
    }
}

/// Powers that were verified and are ended.
fn ended(path: &Path) -> Result<Powers, Error> {
    let bytes = read(path, MAX_POWERS_FILE)?;
    let powers = Powers::from_bytes(&bytes, Check::Full).map_err(of(path))?;
    powers.verify().and_then(|()| powers.expect_ended()).map_err(of(path))?;
    Ok(powers)
}

/// A phase 2 that was verified from the powers on, and the key that it began with.
fn verified(
    path: &Path,
    bytes: &[u8],
    powers: &Path,
    specialized: Option<&Path>,
) -> Result<(Phase2, ProvingKey), Error> {
    let ended = ended(powers)?;
    let phase2 = Phase2::from_bytes(bytes, Check::Full).map_err(of(path))?;
    let key = match specialized {
        Some(path) => ProvingKey::load(path)?,
        None => specialize(&ended, r1cs(), CIRCUIT_VERSION).map_err(of(powers))?,
    };
    phase2.verify(ended.chain().transcript(), &key).map_err(of(path))?;
    Ok((phase2, key))
}

fn report<const N: usize>(
    chain: &Chain<N>,
    path: &Path,
    contains: &[[u8; 32]],
) -> Result<(), Error> {
    for wanted in contains {
        if !chain.transcripts().any(|transcript| transcript == *wanted) {
            return Err(Error::NotContained { path: path.into(), transcript: *wanted });
        }
    }
    for (number, contribution) in (1..).zip(chain.contributions()) {
        let origin = match contribution.origin {
            Origin::Contributor => "contributor".into(),
            Origin::Beacon(beacon) => {
                format!("beacon {} iterated 2^{}", hex::encode(beacon.value), beacon.iterations)
            }
        };
        say(&format_args!("{number:>4}  {}  {origin}", hex::encode(contribution.transcript())));
    }
    say(&match chain.beacon() {
        Some(_) => "every contribution holds; the phase is ended",
        None => "every contribution holds; the phase is open",
    });
    Ok(())
}

fn transcript<const N: usize>(chain: &Chain<N>) -> String {
    format!("transcript {}", hex::encode(chain.transcript()))
}

/// What is said of a key.
struct Exported(VerifyingKey);

impl fmt::Display for Exported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(key) = self;
        write!(
            f,
            "circuit version {}, key hash 0x{}",
            key.circuit_version,
            hex::encode(key.hash())
        )?;
        if key.development {
            write!(f, "\nDEVELOPMENT KEY: anyone can forge proofs under it")?;
        }
        Ok(())
    }
}

fn of(path: &Path) -> impl Fn(CeremonyError) -> Error {
    move |error| Error::Ceremony { path: path.into(), error }
}

fn word(option: &'static str, text: &str) -> Result<[u8; 32], Error> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text.strip_prefix("0x").unwrap_or(text), &mut bytes)
        .map_err(|_| Error::Value { option, expected: "32 bytes in hex", found: text.into() })?;
    Ok(bytes)
}

fn entropy(path: &Path) -> Result<Zeroizing<Vec<u8>>, Error> {
    if path == Path::new("-") {
        return capped(path, io::stdin(), MAX_ENTROPY).map(Zeroizing::new);
    }
    read(path, MAX_ENTROPY).map(Zeroizing::new)
}

fn read(path: &Path, max: u64) -> Result<Vec<u8>, Error> {
    let file = File::open(path).map_err(|error| Error::Io { path: path.into(), error })?;
    capped(path, file, max)
}

fn capped(path: &Path, reader: impl io::Read, max: u64) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let read = reader
        .take(max.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|error| Error::Io { path: path.into(), error })?;
    if u64::try_from(read).is_ok_and(|read| read <= max) {
        Ok(bytes)
    } else {
        Err(Error::TooLarge { path: path.into(), max })
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    write_file(path, bytes).map_err(|error| Error::Io { path: path.into(), error })
}

/// A line on stdout, whether somebody reads it or not.
fn say(line: &impl fmt::Display) {
    let _ = writeln!(io::stdout(), "{line}");
}
