//! Style, script and icon. Their names change with their contents, so a browser never asks for them again.

use std::hash::{DefaultHasher, Hasher as _};
use std::sync::LazyLock;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use crate::Context;
use crate::extract::Path;
use crate::response::problem;

const STYLE: &[u8] = include_bytes!("../../assets/flagstaff.css");
const SCRIPT: &[u8] = include_bytes!("../../assets/flagstaff.js");
const ICON: &[u8] = include_bytes!("../../assets/icon.svg");

static ASSETS: LazyLock<[Asset; 3]> = LazyLock::new(|| {
    [
        Asset::new("css", "text/css; charset=utf-8", STYLE),
        Asset::new("js", "text/javascript; charset=utf-8", SCRIPT),
        Asset::new("svg", "image/svg+xml", ICON),
    ]
});

/// A file that pages load.
struct Asset {
    path: String,
    kind: &'static str,
    body: &'static [u8],
}

impl Asset {
    fn new(extension: &str, kind: &'static str, body: &'static [u8]) -> Self {
        let mut hash = DefaultHasher::new();
        hash.write(body);
        Self { path: format!("/assets/flagstaff.{:016x}.{extension}", hash.finish()), kind, body }
    }
}

/// Where pages find them.
#[derive(Clone, Copy, Debug)]
pub(super) struct AssetPaths {
    pub(super) css: &'static str,
    pub(super) script: &'static str,
    pub(super) icon: &'static str,
}

pub(super) fn paths() -> AssetPaths {
    let [css, script, icon] = &*ASSETS;
    AssetPaths { css: &css.path, script: &script.path, icon: &icon.path }
}

pub(super) fn routes() -> Router<Context> {
    Router::new().route("/assets/{name}", get(asset))
}

async fn asset(Path(name): Path<String>) -> Response {
    let found = ASSETS.iter().find(|asset| asset.path.strip_prefix("/assets/") == Some(name.as_str()));
    match found {
        Some(asset) => {
            let kept = "public, max-age=31536000, immutable";
            ([(header::CONTENT_TYPE, asset.kind), (header::CACHE_CONTROL, kept)], asset.body).into_response()
        }
        None => problem(StatusCode::NOT_FOUND, "there is no such file here", ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_name_with_its_hash_is_there_and_it_is_kept() {
        let css = paths().css.strip_prefix("/assets/").unwrap();
        let answer = asset(Path(css.into())).await;
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/css; charset=utf-8");
        assert!(answer.headers()[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
        assert_eq!(asset(Path("flagstaff.css".into())).await.status(), StatusCode::NOT_FOUND);
    }

    #[test]
    fn nothing_is_fetched_from_elsewhere() {
        for text in [STYLE, SCRIPT] {
            let text = std::str::from_utf8(text).unwrap();
            assert!(!text.contains("http://") && !text.contains("https://") && !text.contains("@import"));
        }
    }
}
