//! A subject that is kept beyond its request, to see later what other flags would decide for it.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;

use crate::{
    Attributes, BucketBy, Decisions, FormerDraw, KeptValues, Key, Name, Snapshot, StickyVariant, Subject, User,
};

/// A subject that is kept beyond its request: no id of it, but where its ids fall, and the values that conditions look at.
#[derive(Clone, Debug)]
pub struct KeptSubject {
    /// When it asked last.
    pub at: Timestamp,
    /// Stands for the visitor's id, and for every other id of the subject.
    pub pseudonym: Box<str>,
    /// A session is known.
    pub has_session: bool,
    /// Headers and cookies by which flags draw and that the request had.
    pub units: Box<[BucketBy]>,
    /// Where its ids fall.
    pub draws: Arc<[FormerDraw]>,
    /// Variants that are remembered, by the name of the flag.
    pub remembered: Box<[(Name, Arc<str>)]>,
    /// What conditions look at.
    pub values: KeptValues,
}

impl KeptSubject {
    /// How much memory it takes, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let lists = self.draws.len() * size_of::<FormerDraw>() + self.units.len() * size_of::<BucketBy>();
        let remembered = self.remembered.len() * size_of::<(Name, Arc<str>)>();
        size_of::<Self>() + self.pseudonym.len() + lists + remembered + self.values.bytes()
    }

    /// What is remembered of flags that are in a snapshot.
    fn sticky(&self, snapshot: &Snapshot) -> Vec<StickyVariant> {
        let of = |(name, variant): &(Name, Arc<str>)| {
            let flag = snapshot.find(name.as_str())?;
            Some(StickyVariant { flag, variant: snapshot.flag(flag)?.variants.find(variant)?, brought: false })
        };
        self.remembered.iter().filter_map(of).collect()
    }

    /// The id stays unknown where no condition looks at it: the pseudonym stands for it.
    fn user(&self) -> Option<User> {
        let mut user = self.values.user()?.clone();
        if user.id.is_empty() {
            user.id = (*self.pseudonym).into();
        }
        Some(user)
    }

    fn unit(&self, bucket_by: &BucketBy) -> Option<&str> {
        self.units.contains(bucket_by).then_some(&*self.pseudonym)
    }
}

impl Attributes for KeptSubject {
    fn header(&self, name: &str) -> Option<&str> {
        let by_name = || self.values.get(&Key::Header(name.into()));
        let value = if name == "user-agent" { self.values.get(&Key::UserAgent).or_else(by_name) } else { by_name() };
        value.or_else(|| self.unit(&BucketBy::Header(name.into())))
    }

    fn cookie(&self, name: &str) -> Option<&str> {
        self.values.get(&Key::Cookie(name.into())).or_else(|| self.unit(&BucketBy::Cookie(name.into())))
    }

    fn query(&self, name: &str) -> Option<Cow<'_, str>> {
        self.values.get(&Key::Query(name.into())).map(Cow::Borrowed)
    }

    fn attribute(&self, name: &str) -> Option<Cow<'_, str>> {
        self.values.get(&Key::Attribute(name.into())).map(Cow::Borrowed)
    }
}

impl Decisions {
    /// As [`Decisions::decide_again`], for a subject that was kept. Without its memory, as if nothing were remembered of it.
    pub fn decide_kept(&mut self, kept: &KeptSubject, with_memory: bool, now: Timestamp) {
        let sticky = if with_memory { kept.sticky(self.snapshot()) } else { Vec::new() };
        let user = kept.user();
        let value = |key| kept.values.get(&key);
        self.decide_again(&Subject {
            now,
            visitor: Some(&kept.pseudonym),
            session: kept.has_session.then_some(&*kept.pseudonym),
            request: Some(&kept.pseudonym),
            user: user.as_ref(),
            ip: value(Key::Ip).and_then(|ip| ip.parse().ok()),
            country: value(Key::Country),
            language: value(Key::Language),
            method: value(Key::Method),
            host: value(Key::Host),
            path: value(Key::Path),
            attributes: kept,
            sticky: &sticky,
            former_draws: &kept.draws,
            overrides: &[],
        });
    }
}
