//! The operators' address: what is served there, and how it drains.

use std::net::SocketAddr;
use std::sync::Arc;

use flagstaff_admin::{Access, Admin, Context, PrometheusHandle};
use flagstaff_embed::{ChangeStreams, Flagstaff};
use flagstaff_sidecar::{Background, Stop};

use super::checked::Checked;
use super::health::ProgramHealth;
use super::service_manager::ServiceManager;
use super::{meters, process_metrics};

/// What operators see and do.
pub(super) fn admin(
    checked: &Checked,
    flagstaff: &Flagstaff,
    health: ProgramHealth,
    metrics: PrometheusHandle,
    access: &Access,
) -> Admin {
    let mut context = Context::new(checked.workspace(), flagstaff.reader(), flagstaff.reloading());
    context = context.with_tagger_settings(checked.tagger_settings.clone());
    if let Some(traffic) = &checked.parts.traffic {
        context = context.with_traffic(traffic.clone(), Arc::clone(&checked.parts.tagger));
    }
    let answers = checked.parts.answers.clone().unwrap_or_default();
    let (flags, started_at) = (flagstaff.reader(), health.started_at());
    let more = move || {
        meters::begin_flags(&flags.load());
        answers.to_string() + &process_metrics::text(started_at)
    };
    Admin::new(move || health.now(), metrics, more).steering(&context, access, checked.clients.clone())
}

/// The operators' address as a service beside the proxy.
pub(super) fn service(
    address: SocketAddr,
    admin: Admin,
    health: ProgramHealth,
    changes: ChangeStreams,
    manager: ServiceManager,
) -> Background {
    let serve = move |listeners: Vec<_>, stop: Stop| {
        let (admin, health, changes) = (admin.clone(), health.clone(), changes.clone());
        let manager = manager.clone();
        async move {
            let Some(listener) = listeners.into_iter().next() else {
                return;
            };
            let attending = manager.attend(stop.clone());
            let (draining, finishing) = (stop.clone(), stop);
            let watch = async move {
                draining.draining().await;
                health.drains();
                changes.close();
                finishing.finishing().await;
            };
            // on one runtime with what operators ask: systemd hears that it is alive only while it answers
            tokio::join!(admin.serve(listener, watch), attending);
        }
    };
    Background::new("operators", serve).listening(vec![address])
}
