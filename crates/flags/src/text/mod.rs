//! Text: patterns that fit it, paths and hosts as servers read them, which word or method was meant, what of it is safe to print, and
//! settings as people type them.

mod glob;
mod methods;
mod nearest;
mod plain_path;
mod printable;
mod secret;
pub mod typed;

pub use glob::{BehindPath, Glob, Route, RouteError};
pub use methods::{is_method, method_meant};
pub use nearest::nearest;
pub use plain_path::{PlainPath, plain_host};
pub use printable::{brief, is_hidden, printable, printable_except, printable_json};
pub use secret::{MASK, is_secret, userinfo, without_userinfo};
