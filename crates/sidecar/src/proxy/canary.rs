//! Upstreams of variants: visitors whose variant of a flag has an address of its own are passed on to that one.

use std::collections::HashMap;
use std::sync::Arc;

use flagstaff_flags::{FlagId, Snapshot, VariantId};
use flagstaff_tag::{Flags, PerSnapshot};
use http::Extensions;
use metrics::{Counter, counter};

use crate::address::Origin;
use crate::proxy::upstream::Upstream;
use crate::settings::upstream_policy::UpstreamPolicy;

/// Addresses of variants at most; visitors of further ones stay with the app.
const MAX_UPSTREAMS: usize = 256;

/// Where a variant's visitors go.
#[derive(Clone)]
pub(crate) struct Canary {
    pub(crate) flag: FlagId,
    pub(crate) upstream: Arc<Upstream>,
    /// Requests the app answered in its place.
    pub(crate) fallbacks: Counter,
}

struct Route {
    variant: VariantId,
    canary: Canary,
}

/// What one snapshot says.
struct Routes {
    /// In the order of the document.
    all: Vec<Route>,
}

/// The upstreams that the flags name now.
#[derive(Default)]
pub(crate) struct Canaries {
    routes: PerSnapshot<Routes>,
    policy: Arc<UpstreamPolicy>,
}

impl std::fmt::Debug for Canaries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Canaries").finish_non_exhaustive()
    }
}

impl Canaries {
    pub(crate) fn new(policy: UpstreamPolicy) -> Self {
        Self { routes: PerSnapshot::new(), policy: Arc::new(policy) }
    }

    /// The upstream of the first flag that has one for the variant this visitor got.
    pub(crate) fn of(&self, extensions: &Extensions) -> Option<Canary> {
        let decisions = extensions.get::<Flags>()?.decisions();
        let fits = |route: &&Route| decisions.of(route.canary.flag).variant() == route.variant;
        let found = |routes: &Routes| routes.all.iter().find(fits).map(|route| route.canary.clone());
        let snapshot = decisions.snapshot();
        self.routes.with(snapshot, |before| Routes::new(snapshot, before, &self.policy), |routes| found(routes))
    }
}

impl Routes {
    /// Addresses that were known before keep their connections; those that are named no longer lose them.
    fn new(snapshot: &Snapshot, before: Option<&Self>, policy: &Arc<UpstreamPolicy>) -> Self {
        let mut known: HashMap<Arc<str>, Arc<Upstream>> = before
            .into_iter()
            .flat_map(|routes| &routes.all)
            .map(|route| &route.canary.upstream)
            .map(|upstream| (Arc::clone(&upstream.origin.authority), Arc::clone(upstream)))
            .collect();
        let mut named = HashMap::new();
        let mut all = Vec::new();
        for flag in snapshot.flags() {
            let Some(id) = snapshot.find(flag.name.as_str()) else {
                continue;
            };
            for (variant, address) in &flag.upstream {
                let Some(upstream) = upstream(address, policy, &mut known, &mut named) else {
                    continue;
                };
                let fallbacks = counter!("flagstaff_canary_fallbacks_total", "flag" => flag.name.to_string());
                all.push(Route { variant: *variant, canary: Canary { flag: id, upstream, fallbacks } });
            }
        }
        Self { all }
    }
}

fn upstream(
    address: &str,
    policy: &Arc<UpstreamPolicy>,
    known: &mut HashMap<Arc<str>, Arc<Upstream>>,
    named: &mut HashMap<Arc<str>, Arc<Upstream>>,
) -> Option<Arc<Upstream>> {
    let unused = |error: &str| {
        tracing::warn!(address, error, "the upstream of a variant is not used; its visitors stay with the app");
    };
    // an address can be written in several ways
    let origin = Origin::parse(address).inspect_err(|error| unused(error)).ok()?;
    if let Some(upstream) = named.get(&origin.authority) {
        return Some(Arc::clone(upstream));
    }
    if named.len() == MAX_UPSTREAMS {
        tracing::warn!(address, "more than {MAX_UPSTREAMS} upstreams of variants; this one is not used");
        return None;
    }
    let authority = Arc::clone(&origin.authority);
    let upstream = match known.remove(&authority) {
        Some(upstream) => upstream,
        None => {
            policy.written(&origin).inspect_err(|error| unused(error)).ok()?;
            Arc::new(Upstream::new(origin, Some(Arc::clone(policy))))
        }
    };
    named.insert(authority, Arc::clone(&upstream));
    Some(upstream)
}

#[cfg(test)]
mod tests {
    use flagstaff_flags::{Flag, Name, Percent};
    use flagstaff_tag::{AnsweredBy, NoAnswer, Tagger};
    use http::{Method, Request, StatusCode};
    use jiff::Timestamp;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tower::ServiceExt as _;

    use super::*;
    use crate::body::RequestBody;
    use crate::{Proxy, ProxySettings, RawSettings};

    /// Answers every connection once, 500 for a POST.
    async fn app() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let mut head = [0; 4];
                socket.read_exact(&mut head).await.unwrap();
                let status = if head == *b"POST" { 500 } else { 200 };
                let answer = format!("HTTP/1.1 {status} A\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                socket.write_all(answer.as_bytes()).await.unwrap();
                while socket.read(&mut head).await.is_ok_and(|n| n > 0) {}
            }
        });
        address
    }

    /// Nobody listens there.
    async fn nobody() -> String {
        TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string()
    }

    /// The status of the answer, and what it says of the flag's upstream.
    async fn ask(app: Option<&str>, canary: &str, method: Method) -> (StatusCode, &'static str) {
        let named = |text: &str, upstream| Flag {
            percent: Some(Percent::ALL),
            upstream,
            ..Flag::new(Name::new(text).unwrap())
        };
        let flags = vec![named("first", vec![]), named("shop", vec![(VariantId::ON, canary.to_owned())])];
        let snapshot = Arc::new(Snapshot::new("test", flags, vec![], vec![], vec![]).unwrap());
        let shop = snapshot.find("shop").unwrap();
        let tagger = Tagger::new(&flagstaff_tag::TaggerSettings::default()).unwrap();
        let mut request =
            Request::builder().method(method).uri("/").header("host", "a").body(RequestBody::empty()).unwrap();
        tagger.tag(&Arc::new(tagger.compile(snapshot)), &mut request, Timestamp::now());
        let upstream = app.into_iter().map(Into::into).collect();
        let listen = vec!["127.0.0.1:0".into()];
        let settings = ProxySettings::new(RawSettings { listen, upstream, ..RawSettings::default() }).unwrap();
        let Ok(answer) = Proxy::for_canaries(&settings).unwrap().oneshot(request).await;
        let said = match answer.extensions().get::<AnsweredBy>() {
            None => "nothing",
            Some(by) if *by == AnsweredBy::Canary(shop) => "it answered",
            Some(by) if *by == AnsweredBy::Proxy(NoAnswer::Canary(shop)) => "it failed",
            Some(by) if *by == AnsweredBy::Fallback(shop) => "the app stood in",
            Some(_) => "somebody else",
        };
        (answer.status(), said)
    }

    #[test]
    fn an_address_keeps_its_connections_however_it_is_written() {
        let policy = Arc::new(UpstreamPolicy::default());
        for address in ["unix:///run/shop.sock", "unix:/run/shop.sock", "127.0.0.1:8000", "[::1]:8000"] {
            let flag = Flag {
                percent: Some(Percent::ALL),
                upstream: vec![(VariantId::ON, address.to_owned())],
                ..Flag::new(Name::new("shop").unwrap())
            };
            let snapshot = Snapshot::new("test", vec![flag], vec![], vec![], vec![]).unwrap();
            let first = Routes::new(&snapshot, None, &policy);
            let second = Routes::new(&snapshot, Some(&first), &policy);
            let of = |routes: &Routes| Arc::as_ptr(&routes.all[0].canary.upstream);
            assert_eq!(of(&first), of(&second), "{address}");
        }
    }

    #[tokio::test]
    async fn an_upstream_that_gives_no_answer_is_named() {
        let (app, canary, dead) = (app().await, app().await, nobody().await);
        assert_eq!(ask(Some(&app), &canary, Method::GET).await, (StatusCode::OK, "it answered"));
        assert_eq!(ask(Some(&app), &dead, Method::GET).await, (StatusCode::OK, "the app stood in"));
        assert_eq!(ask(Some(&app), &dead, Method::POST).await, (StatusCode::BAD_GATEWAY, "it failed"));
        assert_eq!(ask(None, &dead, Method::GET).await, (StatusCode::BAD_GATEWAY, "it failed"));
        // an error of its own is an answer
        assert_eq!(ask(Some(&dead), &canary, Method::POST).await, (StatusCode::INTERNAL_SERVER_ERROR, "it answered"));
    }
}
