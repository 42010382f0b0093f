//! The program that zkVMs prove: a source file becomes its artifact, and what is published of that is a [`Journal`].
//!
//! A receipt of such a run states that *this artifact is the canonical form of that source*. The programs under `guest/`
//! hand [`run`] their input and publish what it returns; natively it is the same function, so a publisher knows the
//! journal before anything is proven. A run that ends in an error publishes nothing, and has no receipt.

use alloc::vec::Vec;

use sha2::{Digest as _, Sha256};

use crate::{
    artifact::ValidArtifact,
    digest::Digest,
    layout::array,
    schema::Schema,
    source::{Source, SourceError, SourceFormat},
};

/// What a run reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Input<'a> {
    /// The schema that the artifact must obey. A verifier compares it with its own.
    pub schema: Schema,
    /// How the source is written.
    pub format: SourceFormat,
    /// The source file.
    pub source: &'a [u8],
}

/// What a run publishes. Its fields stand in this order in [`Journal::to_bytes`], and in the contracts' `Journals` library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Journal {
    /// Keccak-256 of the artifact.
    pub digest: Digest,
    /// SHA-256 of the source file, as `sha256sum` prints it.
    pub source: [u8; 32],
    /// The schema that the artifact obeys: its word, engine and budget.
    pub schema: Schema,
    /// Bytes of the artifact.
    pub size: u16,
    /// Rows of the artifact.
    pub rows: u8,
    /// What the source was read as.
    pub format: SourceFormat,
}

/// Why a run published nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GuestError {
    /// The input ends before the source begins.
    #[error("input: expected at least {expected} bytes; found {found}", expected = Input::HEAD_LEN)]
    Input {
        /// Its length.
        found: usize,
    },
    /// No source is written like that.
    #[error("input: expected format 1, 2 or 3; found {found}")]
    Format {
        /// The number.
        found: u8,
    },
    /// The source is none, or makes no valid artifact.
    #[error(transparent)]
    Source(#[from] SourceError),
}

/// Runs the program: reads an [`Input`], returns the [`Journal`] to be published.
///
/// # Errors
/// The first [`GuestError`].
pub fn run(input: &[u8]) -> Result<[u8; Journal::LEN], GuestError> {
    let input = Input::parse(input)?;
    let (_, journal) = canonicalise(&input)?;
    Ok(journal.to_bytes())
}

/// The canonical form of a source, and what can be published of it.
///
/// # Errors
/// The first [`SourceError`], as for [`Source::read`] and [`Source::encode`].
pub fn canonicalise(input: &Input<'_>) -> Result<(ValidArtifact, Journal), SourceError> {
    let artifact = Source::read(input.format, input.source)?.encode(&[input.schema])?;
    let journal = Journal {
        digest: artifact.digest(),
        source: Sha256::digest(input.source).into(),
        schema: input.schema,
        // A valid artifact has at most 12 864 bytes and 200 rows.
        size: u16::try_from(artifact.bytes().len()).unwrap_or(u16::MAX),
        rows: u8::try_from(artifact.rows().len()).unwrap_or(u8::MAX),
        format: input.format,
    };
    Ok((artifact, journal))
}

impl<'a> Input<'a> {
    /// Bytes before the source: schema word, engine, budget, format.
    const HEAD_LEN: usize = 41;

    /// The input as a run reads it: schema word 32, engine 4, budget 4, format 1, all big-endian, and the source.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(Self::HEAD_LEN.saturating_add(self.source.len()));
        bytes.extend(self.schema.word);
        bytes.extend(self.schema.engine.to_be_bytes());
        bytes.extend(self.schema.budget.to_be_bytes());
        bytes.push(self.format as u8);
        bytes.extend(self.source);
        bytes
    }

    fn parse(bytes: &'a [u8]) -> Result<Self, GuestError> {
        let Some((head, source)) = bytes.split_at_checked(Self::HEAD_LEN) else {
            return Err(GuestError::Input { found: bytes.len() });
        };
        let [format] = array(head, 40);
        let format = match format {
            1 => SourceFormat::Json,
            2 => SourceFormat::Csv,
            3 => SourceFormat::Parquet,
            found => return Err(GuestError::Format { found }),
        };
        let schema = Schema {
            engine: u32::from_be_bytes(array(head, 32)),
            word: array(head, 0),
            budget: u32::from_be_bytes(array(head, 36)),
        };
        Ok(Self { schema, format, source })
    }
}

impl Journal {
    /// Bytes of a journal.
    pub const LEN: usize = 108;

    /// The journal as it is published: digest 32, source 32, schema word 32, engine 4, budget 4, size 2, rows 1, format 1,
    /// all big-endian.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let mut bytes = Vec::with_capacity(Self::LEN);
        bytes.extend(self.digest.0);
        bytes.extend(self.source);
        bytes.extend(self.schema.word);
        bytes.extend(self.schema.engine.to_be_bytes());
        bytes.extend(self.schema.budget.to_be_bytes());
        bytes.extend(self.size.to_be_bytes());
        bytes.extend([self.rows, self.format as u8]);
        array(&bytes, 0)
    }

    /// The evidence that the contracts `RiscZeroVerifier` and `Sp1Verifier` take: the journal after its size, a u16, and
    /// `proof`, the zkVM's seal as its own verifier contract takes it.
    #[must_use]
    pub fn evidence(&self, proof: &[u8]) -> Vec<u8> {
        let journal = self.to_bytes();
        let size = u16::try_from(journal.len()).unwrap_or(u16::MAX).to_be_bytes();
        [&size, journal.as_slice(), proof].concat()
    }

    /// Digest and rows by the journal that such evidence begins with; `None` if it begins with none.
    #[must_use]
    pub fn claimed(evidence: &[u8]) -> Option<(Digest, u8)> {
        let (size, rest) = evidence.split_first_chunk()?;
        let journal: &[u8; Self::LEN] = rest.first_chunk()?;
        let sized = usize::from(u16::from_be_bytes(*size)) == Self::LEN;
        let [.., rows, _format] = *journal;
        sized.then(|| (Digest(array(journal, 0)), rows))
    }
}
