//! What the app's word about the person does to the cookie that remembers it.

use flagstaff_flags::User;
use jiff::Timestamp;

use crate::identity::id::Id;
use crate::identity::user_cookie::Named;
use crate::request::flags::Flags;
use crate::response::directives::Identify;
use crate::tagger::Tagger;

/// What becomes of the cookie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// It stays as it is.
    Nothing,
    /// It says this from now on.
    Set(Named),
    /// It goes.
    Remove,
}

impl Tagger {
    /// Hears whom the app names. Another word than the one before voids that at once, whether or not this answer can set a cookie.
    pub(crate) fn hear(&self, flags: &Flags, identify: Option<&Identify>, now: Timestamp) -> Word {
        let reply = &flags.tagged().reply;
        if !self.users.identify() || !reply.may_set {
            return Word::Nothing;
        }
        let visitor = flags.tagged().visitor;
        match identify {
            Some(Identify::User(user)) => self.hear_user(visitor, user, reply.named.as_ref(), now),
            Some(Identify::Nobody) => self.hear_nobody(flags, now),
            None => Word::Nothing,
        }
    }

    fn hear_user(&self, visitor: Id, user: &User, before: Option<&Named>, now: Timestamp) -> Word {
        let statements = &self.users.statements;
        match before.filter(|before| before.user.as_ref() == Some(user)) {
            // This answer belongs to a request from before a logout that was answered first.
            Some(before) if statements.voids(visitor, before.said) => Word::Nothing,
            Some(before) if !before.is_old(now) => Word::Nothing,
            Some(_) => Word::Set(self.word(Some(user), now.as_microsecond(), now)),
            None => {
                let said = statements.name(visitor, user, now.as_microsecond(), before.map(|before| before.said));
                Word::Set(self.word(Some(user), said, now))
            }
        }
    }

    /// The cookie goes. Where several came, a sibling host or an older setting of `domain` holds some that cannot be reached: then one stays
    /// that says it later than they.
    fn hear_nobody(&self, flags: &Flags, now: Timestamp) -> Word {
        let reply = &flags.tagged().reply;
        let before = reply.named.as_ref().map(|before| before.said);
        let said = self.users.statements.end(flags.tagged().visitor, now.as_microsecond(), before);
        match reply.user_cookies {
            0 => Word::Nothing,
            1 => Word::Remove,
            _ => Word::Set(self.word(None, said, now)),
        }
    }

    fn word(&self, user: Option<&User>, said: i64, now: Timestamp) -> Named {
        let until = now.as_second().saturating_add_unsigned(self.users.max_age.as_secs());
        Named { user: user.cloned(), said, until }
    }
}
