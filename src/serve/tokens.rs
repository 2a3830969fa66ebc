//! The tokens of operators, read again on SIGHUP where files hold them.

use std::net::SocketAddr;
use std::sync::mpsc::sync_channel;

use anyhow::Context as _;
use flagstaff_admin::Access;

use crate::settings::{admin, typed};

/// Has them read again, on a thread of its own: a file may be slow, and signals wait for nobody.
///
/// # Errors
/// When the system has no thread left.
pub(super) fn rereading(
    typed: typed::SettingsFile,
    address: SocketAddr,
    access: Access,
) -> anyhow::Result<impl Fn() + Send + Sync + 'static> {
    let (wake, woken) = sync_channel(1);
    flagstaff_supervise::thread("tokens", move || {
        while woken.recv().is_ok() {
            reread(&typed, address, &access);
        }
    })
    .context("what reads tokens again cannot start")?;
    // one that is waiting already reads what is there now
    Ok(move || {
        let _ = wake.try_send(());
    })
}

fn reread(typed: &typed::SettingsFile, address: SocketAddr, access: &Access) {
    if typed.admin_token_file.is_none() && typed.admin_read_token_file.is_none() {
        return;
    }
    match admin::access(typed, address).and_then(|settings| access.renew_tokens(&settings)) {
        Ok(true) => tracing::info!("operators have other tokens; sessions of those that were replaced have ended"),
        Ok(false) => {}
        Err(problems) => {
            for problem in problems {
                tracing::error!("the tokens of operators stay as they were: {problem}");
            }
        }
    }
}
