//! Text: patterns that fit it, paths and hosts as servers read them, which word was meant, and what of it is safe to print.

mod glob;
mod nearest;
mod plain_path;
mod secret;
mod visible;

pub use glob::{Glob, Route, RouteError};
pub use nearest::nearest;
pub use plain_path::{PlainPath, plain_host};
pub use secret::{MASK, is_secret, userinfo, without_userinfo};
pub use visible::{brief, is_hidden, visible, visible_but, visible_json};
