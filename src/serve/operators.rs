//! The operators' address: what is served there, and how it drains.

use std::net::SocketAddr;

use flagstaff_admin::{AccessSettings, Admin, Context, PrometheusHandle};
use flagstaff_embed::Flagstaff;
use flagstaff_sidecar::{Background, Stop};

use super::checked::Checked;
use super::health::Health;
use crate::settings;

/// What operators see and do.
pub(super) fn admin(checked: &Checked, flagstaff: &Flagstaff, health: Health, metrics: PrometheusHandle) -> Admin {
    let context = Context::new(checked.workspace(), flagstaff.reader(), flagstaff.reloading());
    let access = AccessSettings { token: settings::variable(settings::ADMIN_TOKEN) };
    let answers = checked.parts.answers.clone().unwrap_or_default();
    Admin::new(move || health.now(), metrics, move || answers.to_string()).steering(&context, access)
}

/// The operators' address as a service beside the proxy.
pub(super) fn service(address: SocketAddr, admin: Admin, health: Health) -> Background {
    let serve = move |listeners: Vec<_>, stop: Stop| {
        let (admin, health) = (admin.clone(), health.clone());
        async move {
            let Some(listener) = listeners.into_iter().next() else {
                return;
            };
            let (draining, finishing) = (stop.clone(), stop);
            let watch = async move {
                draining.draining().await;
                health.drains();
                finishing.finishing().await;
            };
            admin.serve(listener, watch).await;
        }
    };
    Background::new("operators", serve).listening(vec![address])
}
