//! The shop's pages.

use std::fmt::Write;

use http::HeaderMap;

const STYLE: &str = include_str!("shop.css");

/// What the headers of one request say.
pub(super) struct View<'a> {
    visitor: &'a str,
    flags: Vec<(String, &'a str)>,
}

impl<'a> View<'a> {
    pub(super) fn read(headers: &'a HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
        let each = headers.iter().filter_map(|(name, value)| {
            let name = name.as_str().strip_prefix("x-flag-")?;
            Some((name.replace('-', "_"), value.to_str().ok()?))
        });
        let mut flags: Vec<_> = each.collect();
        if flags.is_empty() {
            // all in one header, when the settings say so
            let pairs = text("x-flags").unwrap_or_default().split(',').filter_map(|pair| pair.trim().split_once('='));
            flags.extend(pairs.map(|(name, value)| (name.to_owned(), value)));
        }
        Self { visitor: text("x-visitor-id").unwrap_or("unknown"), flags }
    }

    /// Every flag that is not off, as in `a=on, b=simple`.
    pub(super) fn variants(&self) -> String {
        self.flags.iter().map(|(name, variant)| format!("{name}={variant}")).collect::<Vec<_>>().join(", ")
    }

    pub(super) fn flag(&self, name: &str) -> &str {
        self.flags.iter().find(|(n, _)| n == name).map_or("off", |(_, variant)| variant)
    }

    fn is_on(&self, name: &str) -> bool {
        self.flag(name) != "off"
    }

    pub(super) fn home(&self) -> String {
        self.page(
            "Pine & Paper",
            r#"<h1>Notebooks that outlast their ideas</h1>
<p>This shop is a demo. Everything you see is decided before the request reaches it: the proxy wrote a few headers, and the pages
read them. Edit <code>config/flags.toml</code>, save, and reload.</p>
<div class="cards">
<a class="card" href="/contact"><b>Contact</b><span>a long form, or the short one of <code>show_new_contact_form</code></span></a>
<a class="card" href="/pricing"><b>Pricing</b><span>three layouts, by <code>pricing_display</code></span></a>
<a class="card" href="/checkout"><b>Checkout</b><span>three pages, or the one of <code>new_checkout</code></span></a>
</div>"#,
        )
    }

    pub(super) fn contact(&self) -> String {
        let short = self.is_on("show_new_contact_form");
        let more = r#"<label>Company<input name="company"></label>
<label>Phone<input name="phone" type="tel"></label>
<label>How did you find us?<select name="source"><option>A friend</option><option>A search</option></select></label>"#;
        let lead = if short { "Two fields, and we answer today." } else { "Please tell us about yourself." };
        self.page(
            "Contact",
            &format!(
                r#"<h1>Write to us</h1><p>{lead}</p><form method="post" action="/contact">
<label>Your e-mail<input name="email" type="email" required></label>
{}<label>Message<textarea name="message" rows="4"></textarea></label>
<button>Send</button></form>"#,
                if short { "" } else { more }
            ),
        )
    }

    pub(super) fn thanks(&self) -> String {
        self.page("Thank you", "<h1>Thank you</h1><p>Your message is on its way. (It is not: this is a demo.)</p>")
    }

    pub(super) fn pricing(&self) -> String {
        let monthly = r#"<div class="card"><b>Monthly</b><span class="price">€ 9.90</span><span>a notebook a month</span></div>"#;
        let annual = r#"<div class="card best"><b>Yearly</b><span class="price">€ 99</span><span>two months for nothing</span></div>"#;
        let bulk =
            r#"<div class="card"><b>Office</b><span class="price">€ 490</span><span>for ten people</span></div>"#;
        let cards = match self.flag("pricing_display") {
            "simple" => monthly.to_owned(),
            "annual_first" => format!("{annual}{monthly}{bulk}"),
            _ => format!("{monthly}{annual}{bulk}"),
        };
        let badge = if self.is_on("price_badge") { "<p class=\"badge\">Prices include postage</p>" } else { "" };
        self.page("Pricing", &format!("<h1>What it costs</h1>{badge}<div class=\"cards\">{cards}</div>"))
    }

    pub(super) fn checkout(&self) -> String {
        let form = if self.is_on("new_checkout") {
            r#"<p>One page, one button.</p><form method="post" action="/checkout">
<label>Address<input name="address"></label><label>Card<input name="card" inputmode="numeric"></label><button>Pay € 49.90</button></form>"#
        } else {
            r#"<p>Step 1 of 3: your address.</p><form method="post" action="/checkout">
<label>Street<input name="street"></label><label>Town<input name="town"></label><button>Go on</button></form>"#
        };
        self.page("Checkout", &format!("<h1>Checkout</h1>{form}"))
    }

    pub(super) fn order(&self) -> String {
        self.page("Your order", "<h1>It is yours</h1><p>The answer to your order said <code>X-Flag-Event: order_paid; value=49.90</code>: that is how an app tells of a conversion.</p>")
    }

    pub(super) fn pay(&self) -> String {
        self.page("Pay", "<h1>Pay by card</h1><p>This page stands behind the gate of <code>new_payments</code>.</p>")
    }

    pub(super) fn lost(&self, why: &str) -> String {
        self.page("Not here", &format!("<h1>{why}</h1><p><a href=\"/\">To the shop</a></p>"))
    }

    fn page(&self, title: &str, body: &str) -> String {
        let mut flags = String::new();
        for (name, variant) in &self.flags {
            let _ = write!(flags, "<li><code>{}</code> <b>{}</b></li>", escape(name), escape(variant));
        }
        if flags.is_empty() {
            flags.push_str("<li>every flag is off</li>");
        }
        format!(
            r#"<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>{STYLE}</style></head><body>
<nav><a href="/"><b>Pine &amp; Paper</b></a><a href="/contact">Contact</a><a href="/pricing">Pricing</a><a href="/checkout">Checkout</a></nav>
<main>{body}</main>
<footer><p>You are visitor <code>{}</code>. The proxy told this app:</p><ul>{flags}</ul>
<form method="post" action="/someone-else"><button class="quiet">Be someone else</button></form></footer></body></html>
"#,
            escape(self.visitor)
        )
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
