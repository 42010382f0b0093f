use alloc::{string::String, vec::Vec};

use crate::{
    artifact::{Row, ValidArtifact},
    defect::Defect,
    layout::{FORMAT_VERSION, HEADER_LEN, Key, MAGIC, MAX_LABEL_LEN, MAX_LEN, MAX_ROWS, ROW_LEN},
    schema::Schema,
};

/// An artifact in the making: what a publisher builds and [`Draft::encode`] checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The logit of a request for which no row fires, in milli-logits.
    pub intercept: i32,
    /// The engine version whose schema the rows obey.
    pub engine: u32,
    /// Unix seconds.
    pub created_at: u64,
    /// At most 31 bytes of printable ASCII.
    pub label: String,
    /// The rows, in any order.
    pub rows: Vec<DraftRow>,
}

/// A row of a [`Draft`].
pub type DraftRow = Row;

impl Draft {
    /// The one encoding of this draft: rows sorted by key, then checked as any foreign bytes are.
    ///
    /// # Errors
    /// The first [`Defect`] of the encoded bytes. Rows are counted in sorted order.
    pub fn encode(&self, schemas: &[Schema]) -> Result<ValidArtifact, Defect> {
        // Beyond the bounds the header could not even say what was asked for.
        if self.rows.len() > MAX_ROWS {
            let found = HEADER_LEN.saturating_add(self.rows.len().saturating_mul(ROW_LEN));
            return Err(Defect::Size { found });
        }
        if let Some(found) = self.label.as_bytes().get(MAX_LABEL_LEN).copied() {
            return Err(Defect::Label { at: MAX_LABEL_LEN, found });
        }
        if let Some(at) = self.label.bytes().position(|byte| byte == 0) {
            return Err(Defect::Label { at, found: 0 });
        }
        ValidArtifact::check(&self.bytes(), schemas)
    }

    fn bytes(&self) -> Vec<u8> {
        let mut rows: Vec<&DraftRow> = self.rows.iter().collect();
        rows.sort_by_key(|row| row.key);
        let mut bytes = Vec::with_capacity(MAX_LEN);
        bytes.extend(MAGIC);
        bytes.extend(FORMAT_VERSION.to_be_bytes());
        bytes.extend(u16::try_from(rows.len()).unwrap_or(u16::MAX).to_be_bytes());
        bytes.extend(self.intercept.to_be_bytes());
        bytes.extend(self.engine.to_be_bytes());
        bytes.extend(self.created_at.to_be_bytes());
        bytes.resize(32, 0);
        bytes.extend(self.label.as_bytes());
        bytes.resize(HEADER_LEN, 0);
        for row in rows {
            bytes.extend(row.key.word());
            bytes.extend([row.kind, row.flags]);
            bytes.extend(row.weight.to_be_bytes());
            bytes.extend(row.argument);
        }
        bytes
    }
}

impl From<&ValidArtifact> for Draft {
    fn from(artifact: &ValidArtifact) -> Self {
        let header = artifact.header();
        Self {
            intercept: header.intercept,
            engine: header.engine,
            created_at: header.created_at,
            label: header.label.into(),
            rows: artifact.rows().collect(),
        }
    }
}

impl Row {
    /// A row for `feature`, under `key`.
    #[must_use]
    pub fn of(key: Key, feature: &crate::Feature, weight: i16) -> Self {
        let (kind, flags, argument) = feature.encode();
        Self { key, kind, flags, weight, argument }
    }
}
