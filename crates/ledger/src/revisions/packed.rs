//! Texts as the store keeps them: packed, each once, under its SHA-256.

use std::io::{Read as _, Write as _};

use flagstaff_flags::FlagTexts;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use sha2::{Digest, Sha256};
use sqlx::{AnyConnection, Row};

/// No flag file is as large as this: what unpacks to more was written by somebody else.
const LARGEST_TEXT: u64 = 16 * 1024 * 1024;

/// The name of a text.
pub(super) fn name(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Keeps a text, unless it is there.
pub(super) async fn keep(store: &mut AnyConnection, text: &str) -> Result<(), sqlx::Error> {
    let packed = pack(text).map_err(sqlx::Error::Io)?;
    // the row is taken even where it is there, so that nobody deletes it before the revision that needs it is written
    let upsert = "INSERT INTO revision_texts (text, bytes, packed) VALUES ($1, $2, $3)
                  ON CONFLICT (text) DO UPDATE SET bytes = excluded.bytes";
    let bytes = i64::try_from(packed.len()).unwrap_or(i64::MAX);
    sqlx::query(upsert).bind(name(text)).bind(bytes).bind(packed).execute(store).await.map(|_| ())
}

/// The texts of these names; none where one of them is gone.
pub(super) async fn read(
    store: &mut AnyConnection,
    definitions: &str,
    overlay: Option<&str>,
) -> Result<Option<FlagTexts>, sqlx::Error> {
    let Some(definitions) = one(store, definitions).await? else { return Ok(None) };
    let overlay = match overlay {
        None => None,
        Some(name) => match one(store, name).await? {
            None => return Ok(None),
            text => text,
        },
    };
    Ok(Some(FlagTexts { definitions: definitions.into(), overlay: overlay.map(Into::into) }))
}

async fn one(store: &mut AnyConnection, name: &str) -> Result<Option<String>, sqlx::Error> {
    let select = sqlx::query("SELECT packed FROM revision_texts WHERE text = $1").bind(name.to_owned());
    let row = select.fetch_optional(store).await?;
    let packed: Option<Vec<u8>> = row.map(|row| row.try_get(0)).transpose()?;
    packed.map(|packed| unpack(&packed)).transpose().map_err(|error| sqlx::Error::Decode(error.into()))
}

fn pack(text: &str) -> std::io::Result<Vec<u8>> {
    let mut packer = DeflateEncoder::new(Vec::new(), Compression::default());
    packer.write_all(text.as_bytes())?;
    packer.finish()
}

fn unpack(packed: &[u8]) -> std::io::Result<String> {
    let mut text = String::new();
    DeflateDecoder::new(packed).take(LARGEST_TEXT).read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_comes_back_as_it_was() {
        for text in ["", "# é\r\n[flags.a]\npercent = 5", &"[flags.a]\n".repeat(50_000)] {
            let packed = pack(text).unwrap();
            assert_eq!(unpack(&packed).unwrap(), text);
            assert!(packed.len() < 5_000);
        }
        assert!(unpack(b"no such thing").is_err());
        assert_eq!(name("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
