//! Upstreams of variants: visitors whose variant of a flag has an address of its own are passed on to that one.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use flagstaff_flags::{FlagId, Snapshot, VariantId};
use flagstaff_tag::Flags;
use http::Extensions;
use metrics::{Counter, counter};

use crate::address::Origin;
use crate::proxy::upstream::Upstream;

/// Addresses of variants at most; visitors of further ones stay with the app.
const MOST: usize = 256;

/// Where a variant's visitors go.
#[derive(Clone)]
pub(crate) struct Canary {
    pub(crate) upstream: Arc<Upstream>,
    /// Requests the app answered in its place.
    pub(crate) fallbacks: Counter,
}

struct Route {
    flag: FlagId,
    variant: VariantId,
    canary: Canary,
}

/// What one snapshot says.
struct Routes {
    snapshot: Arc<Snapshot>,
    /// In the order of the document.
    all: Vec<Route>,
}

/// The upstreams that the flags name now.
#[derive(Default)]
pub(crate) struct Canaries(ArcSwapOption<Routes>);

impl std::fmt::Debug for Canaries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Canaries").finish_non_exhaustive()
    }
}

impl Canaries {
    /// The upstream of the first flag that has one for the variant this visitor got.
    pub(crate) fn of(&self, extensions: &Extensions) -> Option<Canary> {
        let decisions = extensions.get::<Flags>()?.decisions();
        let fits = |route: &&Route| decisions.of(route.flag).variant() == route.variant;
        let found = |routes: &Routes| routes.all.iter().find(fits).map(|route| route.canary.clone());
        match &*self.0.load() {
            Some(routes) if Arc::ptr_eq(&routes.snapshot, decisions.snapshot()) => found(routes),
            before => {
                let routes = Arc::new(Routes::new(decisions.snapshot(), before.as_deref()));
                let canary = found(&routes);
                self.0.store(Some(routes));
                canary
            }
        }
    }
}

impl Routes {
    /// Addresses that were known before keep their connections; those that are named no longer lose them.
    fn new(snapshot: &Arc<Snapshot>, before: Option<&Self>) -> Self {
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
                let Some(upstream) = upstream(address, &mut known, &mut named) else {
                    continue;
                };
                let fallbacks = counter!("flagstaff_canary_fallbacks_total", "flag" => flag.name.to_string());
                all.push(Route { flag: id, variant: *variant, canary: Canary { upstream, fallbacks } });
            }
        }
        Self { snapshot: Arc::clone(snapshot), all }
    }
}

fn upstream(
    address: &str,
    known: &mut HashMap<Arc<str>, Arc<Upstream>>,
    named: &mut HashMap<String, Arc<Upstream>>,
) -> Option<Arc<Upstream>> {
    if let Some(upstream) = named.get(address) {
        return Some(Arc::clone(upstream));
    }
    if named.len() == MOST {
        tracing::warn!(address, "more than {MOST} upstreams of variants; this one is not used");
        return None;
    }
    let upstream = match known.remove(address) {
        Some(upstream) => upstream,
        None => match Origin::parse(address) {
            Ok(origin) => Arc::new(Upstream::new(origin)),
            Err(error) => {
                tracing::warn!(error, "the upstream of a variant is not used");
                return None;
            }
        },
    };
    named.insert(address.to_owned(), Arc::clone(&upstream));
    Some(upstream)
}
