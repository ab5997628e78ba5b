//! Query parameters and their encoding in a URL.

/// The query parameters of a GET, in their order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parameters(Vec<Parameter>);

#[derive(Debug, Clone)]
struct Parameter {
    name: &'static str,
    value: String,
}

impl Parameters {
    pub(crate) fn add(&mut self, name: &'static str, value: impl Into<String>) {
        let value = value.into();
        self.0.push(Parameter { name, value });
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|parameter| parameter.name == name)
    }

    pub(crate) fn without(&self, names: &[&str]) -> Self {
        let mut kept = self.clone();
        kept.0.retain(|parameter| !names.contains(&parameter.name));
        kept
    }

    /// Returns a copy in which one value replaces all values of the parameter.
    pub(crate) fn with(&self, name: &'static str, value: &str) -> Self {
        let mut all = self.without(&[name]);
        all.add(name, value);
        all
    }

    pub(crate) fn path(&self, route: &str) -> String {
        let all: Vec<String> = self
            .0
            .iter()
            .map(|Parameter { name, value }| format!("{name}={}", escaped(value)))
            .collect();
        format!("{route}?{}", all.join("&"))
    }
}

/// Percent-encodes a value.
fn escaped(text: &str) -> String {
    let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes()
        .map(|byte| {
            if is_unreserved(byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}
