//! How flags are linked to each other, resolved once.

use std::collections::HashMap;

use crate::{BucketBy, ExclusionLayer, ExperimentId, Flag, FlagId, Name, Slice, Sticky, VariantId};

/// How the flags of a snapshot are linked.
#[derive(Debug, Default)]
pub(crate) struct Links {
    /// Flags in an order in which those required come before those that require them.
    pub(crate) order: Vec<FlagId>,
    /// The links of each flag.
    pub(crate) of: Vec<Link>,
    /// Some flag draws by session, or remembers for one.
    pub(crate) needs_session: bool,
}

/// What one flag is linked to.
#[derive(Debug, Default)]
pub(crate) struct Link {
    /// Flags it needs, and the variant they must have.
    pub(crate) requires: Vec<(FlagId, Option<VariantId>)>,
    /// The index of its layer, and its slices there.
    pub(crate) layer: Option<(usize, Vec<Slice>)>,
    /// Which experiment it is.
    pub(crate) experiment: ExperimentId,
}

/// Flags by name.
pub(crate) fn index(flags: &[Flag]) -> HashMap<Name, FlagId> {
    flags.iter().zip(0..).map(|(flag, i)| (flag.name.clone(), FlagId(i))).collect()
}

/// A flag that has slices of a layer is in it, also when it does not say so.
pub(crate) fn join_layers(flags: &mut [Flag], layers: &[ExclusionLayer]) {
    let mut layer_of: HashMap<&Name, &Name> = HashMap::new();
    for (layer, slice) in layers.iter().flat_map(|layer| layer.slices.iter().map(move |slice| (layer, slice))) {
        layer_of.entry(&slice.flag).or_insert(&layer.name);
    }
    for flag in flags.iter_mut().filter(|flag| flag.layer.is_none()) {
        flag.layer = layer_of.get(&flag.name).map(|layer| (*layer).clone());
    }
}

impl Links {
    /// The links of these flags, which are decided in this order.
    pub(super) fn new(flags: &[Flag], of: Vec<Link>, order: Vec<FlagId>) -> Self {
        let by_session = |f: &Flag| f.bucket_by == BucketBy::Session || f.stickiness() == Sticky::Session;
        Self { order, of, needs_session: flags.iter().any(by_session) }
    }
}
