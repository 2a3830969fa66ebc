//! Keys by which guards tell units and networks apart. They are made anew for each process, so nobody outside can choose ids that
//! share one, and no id can be read from them.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use flagstaff_experiment::guard::NetworkKey;
use flagstaff_tag::Network;

static HASHERS: LazyLock<[RandomState; 2]> = LazyLock::new(|| [RandomState::new(), RandomState::new()]);

/// 128 bits that tell units apart.
pub(crate) fn unit_key(unit: &str) -> u128 {
    let [high, low] = &*HASHERS;
    u128::from(high.hash_one(unit)) << 64 | u128::from(low.hash_one(unit))
}

/// 64 bits that tell networks apart.
pub(crate) fn origin(network: Network) -> NetworkKey {
    let [first, _] = &*HASHERS;
    NetworkKey(first.hash_one(network))
}
