//! Keys of tokens: files apart from secrets.
//!
//! A path that is taken for a secret is a secret that anybody can guess. So what could be a path is never one.

use std::path::Path;

use flagstaff_flags::Problem;
use flagstaff_tag::{JwtKey, JwtSettings};

/// Whether a key of `user.jwt.keys`, seen from a folder, names a file.
fn names_file(key: &str, folder: &Path) -> bool {
    let ending = Path::new(key).extension().is_some_and(|ending| ending == "pem" || ending == "key");
    !is_pem(key) && (ending || key.contains(['/', '\\']) || folder.join(key).is_file())
}

/// A public key itself, whatever stands before it. What it is made of has `/` too.
fn is_pem(key: &str) -> bool {
    key.contains("-----BEGIN")
}

/// Makes the files lead from the folder of the settings. A secret that is the name of a file there becomes its path too, so that it is
/// refused.
pub(crate) fn beside(jwt: &mut JwtSettings, folder: &Path) {
    let JwtSettings { key_files, secrets, mixed_keys, .. } = jwt;
    let mixed = mixed_keys.iter_mut().chain(secrets).filter(|key| names_file(key, folder));
    for key in key_files.iter_mut().chain(mixed) {
        *key = folder.join(&*key).display().to_string();
    }
}

/// Reads the keys that tokens are verified with: files, and secrets as they stand there.
///
/// # Errors
/// With a problem at the place of each file that cannot be read, and of each secret that could be a file.
pub(crate) fn read_keys(jwt: &mut JwtSettings) -> Result<(), Vec<Problem>> {
    let mut problems = Vec::new();
    jwt.keys = keys(jwt, &mut problems);
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

fn keys(jwt: &JwtSettings, problems: &mut Vec<Problem>) -> Vec<JwtKey> {
    let JwtSettings { key_files, secrets, mixed_keys, .. } = jwt;
    let mut all = Vec::new();
    let mut each = |list: &[String], name: &'static str, read: fn(&str) -> Result<String, Wrong>| {
        for (i, one) in list.iter().enumerate() {
            let place = ["user".to_owned(), "jwt".into(), name.into(), i.to_string()];
            match read(one) {
                Ok(text) => all.push(JwtKey::at(text, place)),
                Err(Wrong { why, mend }) => {
                    problems.push(Problem::new(place.iter().map(String::as_str), why).help(mend));
                }
            }
        }
    };
    each(key_files, "key_files", file);
    each(secrets, "secrets", secret);
    each(mixed_keys, "keys", either);
    all
}

/// What is wrong with a key, and what to do.
struct Wrong {
    why: String,
    mend: &'static str,
}

fn file(path: &str) -> Result<String, Wrong> {
    let text = std::fs::read_to_string(path).map_err(|error| Wrong {
        why: format!("cannot read the key file {path}: {error}"),
        mend: "name a file that is there; a secret itself belongs into `secrets`, and one with `/` in it into a file",
    })?;
    // Editors and `echo` end a file with a line break, which is no part of a secret.
    Ok(text.trim_end_matches(['\r', '\n']).into())
}

fn secret(text: &str) -> Result<String, Wrong> {
    // The message must not show it: it may be a secret after all.
    let wrong = |why: &str, mend| Err(Wrong { why: why.into(), mend });
    if is_pem(text) {
        return wrong("this is a public key, not a secret", "save it in a file and name that in `key_files`");
    }
    if names_file(text, Path::new("")) {
        let mend = "name files in `key_files`; save a secret that has a `/` in a file";
        return wrong("this could be a file: a secret here has no `/`, and no file has its name", mend);
    }
    Ok(text.into())
}

fn either(text: &str) -> Result<String, Wrong> {
    if names_file(text, Path::new("")) { file(text) } else { Ok(text.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "a secret of at least 32 bytes, in a file";

    fn list(all: &[&str]) -> Vec<String> {
        all.iter().map(|one| (*one).to_owned()).collect()
    }

    fn places(jwt: &JwtSettings) -> Vec<String> {
        let problems = read_keys(&mut jwt.clone()).err().unwrap_or_default();
        problems.iter().map(|problem| problem.at.join(".")).collect()
    }

    #[test]
    fn files_are_read_whatever_their_names_end_in() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["jwt.key", "jwt_signing_key", "a b.txt"] {
            std::fs::write(folder.path().join(name), format!("{SECRET}\r\n")).unwrap();
            let absolute = folder.path().join(name).display().to_string();
            for mut jwt in [
                JwtSettings { key_files: list(&[name]), ..JwtSettings::default() },
                JwtSettings { mixed_keys: list(&[name]), ..JwtSettings::default() },
                JwtSettings { mixed_keys: list(&[&absolute]), ..JwtSettings::default() },
                JwtSettings { key_files: list(&[&absolute]), ..JwtSettings::default() },
            ] {
                beside(&mut jwt, folder.path());
                read_keys(&mut jwt).unwrap();
                let key_files = !jwt.key_files.is_empty();
                let list = if key_files { "key_files" } else { "keys" };
                assert_eq!(jwt.keys, [JwtKey::at(SECRET.into(), ["user", "jwt", list, "0"])]);
            }
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_told_at_its_place() {
        let jwt = JwtSettings {
            key_files: list(&["none.pem"]),
            mixed_keys: list(&["/run/secrets/jwt_signing_key_of_the_shop", SECRET, "run/jwt"]),
            ..JwtSettings::default()
        };
        assert_eq!(places(&jwt), ["user.jwt.key_files.0", "user.jwt.keys.0", "user.jwt.keys.2"]);
    }

    #[test]
    fn what_could_be_a_file_is_no_secret() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a_file_whose_name_is_long_enough_for_a_key"), SECRET).unwrap();
        let pem = "-----BEGIN PUBLIC KEY-----\nMIIB/x\n-----END PUBLIC KEY-----";
        let mut jwt = JwtSettings {
            secrets: list(&[
                "/run/secrets/jwt_signing_key_of_the_shop",
                "with/slash/as/base64/has/it/aaaaaaaaaaaaaaaaa=",
                "a_file_whose_name_is_long_enough_for_a_key",
                pem,
                SECRET,
            ]),
            ..JwtSettings::default()
        };
        beside(&mut jwt, folder.path());
        let wrong = [0, 1, 2, 3].map(|place| format!("user.jwt.secrets.{place}"));
        assert_eq!(places(&jwt), wrong);
        let shown = read_keys(&mut jwt).unwrap_err().iter().map(ToString::to_string).collect::<String>();
        assert!(!shown.contains("base64") && !shown.contains("signing"), "{shown}");
    }

    #[test]
    fn a_public_key_may_stand_among_mixed_keys() {
        let pem = "-----BEGIN PUBLIC KEY-----\nMIIB/x\n-----END PUBLIC KEY-----";
        let mut jwt = JwtSettings { mixed_keys: list(&[pem, SECRET]), ..JwtSettings::default() };
        beside(&mut jwt, Path::new("config"));
        read_keys(&mut jwt).unwrap();
        assert_eq!(jwt.keys.len(), 2);
    }
}
