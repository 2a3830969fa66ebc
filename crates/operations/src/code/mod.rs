//! Where code asks for flags.
//!
//! - `spellings.rs`: how code may ask for one flag.
//! - `patterns.rs`: what a line asks for, whatever it names.
//! - `wanted.rs`: the flags that are looked for, and what a line asks for of them.
//! - `search.rs`: the files below a folder, searched line by line.
//! - `hits.rs`: what was found, and no more than is looked at.
//! - `scan.rs`: names in code against the flag file.
//! - `sarif.rs`: the same for tools that show findings beside the code.

mod hits;
mod patterns;
mod sarif;
mod scan;
mod search;
mod spellings;
mod wanted;

pub use hits::{Found, Lines};
pub use sarif::{SarifLog, sarif};
pub use scan::{Scan, ScanFinding, ScanKind, Scanning, scan};
pub use search::{Progress, Searched, Searching};
pub use spellings::{AskedAs, Spellings};
pub use wanted::Wanted;
