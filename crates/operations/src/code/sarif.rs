//! Findings as SARIF 2.1.0, which code hosts and editors show beside the code.

use std::fmt::Write as _;

use serde::Serialize;

use super::scan::{Scan, ScanFinding, ScanKind};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
const ALL_KINDS: [ScanKind; 3] = [ScanKind::Undefined, ScanKind::Ended, ScanKind::Unused];

/// A log of one run.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SarifLog {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    results: Vec<SarifResult>,
    invocations: [Invocation; 1],
    column_kind: &'static str,
}

#[derive(Clone, Debug, Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    version: String,
    rules: Vec<Rule>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: &'static str,
    short_description: Message,
    default_configuration: Configuration,
}

#[derive(Clone, Debug, Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_execution_notifications: Vec<Notification>,
}

#[derive(Clone, Debug, Serialize)]
struct Notification {
    level: &'static str,
    message: Message,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult {
    rule_id: &'static str,
    level: &'static str,
    message: Message,
    locations: Vec<Location>,
}

#[derive(Clone, Debug, Serialize)]
struct Message {
    text: String,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: PhysicalLocation,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    region: Region,
}

#[derive(Clone, Debug, Serialize)]
struct ArtifactLocation {
    uri: String,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: usize,
}

/// A scan for tools that read SARIF; `version` is that of the program.
#[must_use]
pub fn sarif(scan: &Scan, version: &str) -> SarifLog {
    let notification = |what: &String| Notification { level: "error", message: text(what.clone()) };
    SarifLog {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [Run {
            tool: Tool {
                driver: Driver { name: "flagstaff", version: version.into(), rules: ALL_KINDS.map(rule).into() },
            },
            results: scan.findings.iter().flat_map(results).collect(),
            invocations: [Invocation {
                execution_successful: scan.unreadable.is_empty(),
                tool_execution_notifications: scan.unreadable.iter().map(notification).collect(),
            }],
            column_kind: "unicodeCodePoints",
        }],
    }
}

const fn id(kind: ScanKind) -> &'static str {
    match kind {
        ScanKind::Undefined => "flag-undefined",
        ScanKind::Ended => "flag-ended",
        ScanKind::Unused => "flag-unused",
    }
}

/// A name that is not defined is off for everyone: a mistake. The others are to be tidied up.
const fn level(kind: ScanKind) -> &'static str {
    match kind {
        ScanKind::Undefined => "error",
        ScanKind::Ended | ScanKind::Unused => "warning",
    }
}

fn rule(kind: ScanKind) -> Rule {
    let what = match kind {
        ScanKind::Undefined => "Code asks for a flag that the flag file does not define",
        ScanKind::Ended => "A flag was ended and is still in the code or in the flag file",
        ScanKind::Unused => "The flag file defines a flag that no code asks for",
    };
    let default_configuration = Configuration { level: level(kind) };
    Rule { id: id(kind), short_description: text(what.into()), default_configuration }
}

fn text(text: String) -> Message {
    Message { text }
}

/// A result for each line of code; for a flag that no code has, one at its place in the flag file.
fn results(finding: &ScanFinding) -> Vec<SarifResult> {
    let of = |locations: Vec<Location>| SarifResult {
        rule_id: id(finding.kind),
        level: level(finding.kind),
        message: text(format!("The flag `{}` {}.", finding.flag, finding.sentence)),
        locations,
    };
    let defined = finding.defined.as_ref().map(|place| location(&place.file, place.line));
    if finding.kind == ScanKind::Unused || finding.code.is_empty() {
        return vec![of(defined.into_iter().collect())];
    }
    finding.code.iter().map(|found| of(vec![location(&found.file.to_string_lossy(), found.line)])).collect()
}

fn location(file: &str, line: usize) -> Location {
    let artifact_location = ArtifactLocation { uri: uri(file) };
    Location { physical_location: PhysicalLocation { artifact_location, region: Region { start_line: line.max(1) } } }
}

/// A path as a URI reference, relative where the path is.
fn uri(path: &str) -> String {
    let path = path.strip_prefix("./").unwrap_or(path);
    let mut uri = String::from(if path.starts_with('/') { "file://" } else { "" });
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(char::from(byte)),
            _ => drop(write!(uri, "%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_uris() {
        assert_eq!(uri("./app/a b.py"), "app/a%20b.py");
        assert_eq!(uri("/srv/ä#.py"), "file:///srv/%C3%A4%23.py");
    }
}
