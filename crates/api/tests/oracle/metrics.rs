//! Metric types: what their values look like, and random values that look so.

use crate::json::Json;

/// Random numbers that depend on nothing but their seed.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed ^ 0x9E37_79B9_7F4A_7C15)
    }

    /// The dice of the i-th thing.
    pub(crate) fn of(seed: u64, place: usize) -> Self {
        let mut dice = Self::new(seed);
        Self(dice.next().wrapping_add(place as u64))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// The shape of a value.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    Number,
    Integer,
    Nullable,
    Text,
    Bool,
    /// Anything but a number, with numbers inside.
    Other,
    Object(Vec<Member>),
}

#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) key: String,
    pub(crate) required: bool,
    pub(crate) node: Node,
}

/// A series, its values, and the numeric leaves that they have.
#[derive(Debug, Clone)]
pub(crate) struct Metric {
    pub(crate) series: String,
    pub(crate) node: Node,
    /// Whether values have properties that the schema does not declare.
    pub(crate) extras: bool,
    pub(crate) leaves: Vec<Vec<String>>,
}

/// What the numbers of a run are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numbers {
    Small,
    Tenths,
    Thousandths,
    Noise,
    NearBillion,
    Signs,
    Constant,
    Single,
    Wide,
    Huge,
}

pub(crate) const NUMBERS: [Numbers; 10] = [
    Numbers::Small,
    Numbers::Tenths,
    Numbers::Thousandths,
    Numbers::Noise,
    Numbers::NearBillion,
    Numbers::Signs,
    Numbers::Constant,
    Numbers::Single,
    Numbers::Wide,
    Numbers::Huge,
];

impl Numbers {
    fn pick(self, dice: &mut Dice) -> Json {
        let whole = |dice: &mut Dice, n: u64| dice.below(2 * n + 1) as f64 - n as f64;
        Json::number(match self {
            Self::Small => whole(dice, 200),
            Self::Tenths => whole(dice, 3_000) / 10.0,
            Self::Thousandths => whole(dice, 90_000) / 1_000.0,
            Self::Noise => (dice.next() >> 11) as f64 / (1_u64 << 53) as f64 - 0.25,
            Self::NearBillion => 1e9 + whole(dice, 64) / 64.0,
            Self::Signs => [0.0, -0.0, 1.0, -1.0][dice.below(4) as usize],
            Self::Constant => 0.1,
            Self::Single => f64::from(dice.below(1 << 24) as f32 / 3.0_f32),
            Self::Wide => {
                let power = [-320, -140, -30, -3, 0, 2, 17, 60, 139][dice.below(9) as usize];
                format!("{}e{power}", whole(dice, 9_999) / 1_000.0)
                    .parse()
                    .expect("a number")
            }
            Self::Huge => return Self::integer_beyond(dice),
        })
    }

    /// An integer that no f64 has, in most cases.
    fn integer_beyond(dice: &mut Dice) -> Json {
        let digits: Vec<String> = (0..=dice.below(3))
            .map(|_| (1 + dice.next() / 2).to_string())
            .collect();
        let sign = if dice.one_in(3) { "-" } else { "" };
        let near = format!("{}", (1_u64 << 53) + dice.below(9));
        Json::Number(format!(
            "{sign}{}",
            if dice.one_in(2) {
                near
            } else {
                digits.concat()
            }
        ))
    }

    fn pick_whole(self, dice: &mut Dice) -> Json {
        match self {
            Self::Huge => Self::integer_beyond(dice),
            Self::NearBillion => Json::number(1e9 + dice.below(5) as f64),
            Self::Signs => Json::number(dice.below(3) as f64 - 1.0),
            _ => Self::Small.pick(dice),
        }
    }
}

impl Node {
    fn object(members: &[(&str, bool, Self)]) -> Self {
        let member = |(key, required, node): &(&str, bool, Self)| Member {
            key: (*key).to_owned(),
            required: *required,
            node: node.clone(),
        };
        Self::Object(members.iter().map(member).collect())
    }

    pub(crate) fn schema(&self) -> serde_json::Value {
        use serde_json::json;
        match self {
            Self::Number => json!({"type": "number"}),
            Self::Integer => json!({"type": "integer"}),
            Self::Nullable => json!({"type": ["number", "null"]}),
            Self::Text => json!({"type": "string"}),
            Self::Bool => json!({"type": "boolean"}),
            Self::Other => json!({"type": ["null", "boolean", "string", "array", "object"]}),
            Self::Object(members) => {
                let properties: serde_json::Map<_, _> = members
                    .iter()
                    .map(|m| (m.key.clone(), m.node.schema()))
                    .collect();
                let required: Vec<_> = members
                    .iter()
                    .filter(|m| m.required)
                    .map(|m| m.key.clone())
                    .collect();
                json!({"type": "object", "properties": properties, "required": required})
            }
        }
    }

    fn leaves(&self, path: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
        match self {
            Self::Number | Self::Integer | Self::Nullable => found.push(path.clone()),
            Self::Text | Self::Bool | Self::Other => {}
            Self::Object(members) => {
                for member in members {
                    path.push(member.key.clone());
                    member.node.leaves(path, found);
                    path.pop();
                }
            }
        }
    }

    fn value(&self, numbers: Numbers, extras: bool, dice: &mut Dice) -> Json {
        match self {
            Self::Nullable if dice.one_in(4) => Json::Null,
            Self::Number | Self::Nullable => numbers.pick(dice),
            Self::Integer => numbers.pick_whole(dice),
            Self::Text => Json::Text(
                ["", "calm", "Ärger \"?\"", "\u{1F600}\n", "{}", "7"][dice.below(6) as usize]
                    .to_owned(),
            ),
            Self::Bool => Json::Bool(dice.one_in(2)),
            Self::Other => Json::read(OTHERS[dice.below(OTHERS.len() as u64) as usize]),
            Self::Object(members) => {
                let mut object: Vec<(String, Json)> = Vec::new();
                for member in members {
                    if member.required || !dice.one_in(3) {
                        object.push((member.key.clone(), member.node.value(numbers, extras, dice)));
                    }
                }
                if extras && !dice.one_in(3) {
                    let surprise = surprise(dice, 2);
                    object.push(("undeclared".to_owned(), surprise));
                }
                Json::Object(object)
            }
        }
    }
}

const OTHERS: [&str; 10] = [
    "null",
    "null",
    "false",
    "true",
    "\"\"",
    "\"z\"",
    "\"é\"",
    "[]",
    "[1, {\"a\": null}]",
    "{\"k\": 0.5, \"l\": []}",
];

/// Any JSON.
fn surprise(dice: &mut Dice, depth: u32) -> Json {
    match dice.below(if depth == 0 { 6 } else { 9 }) {
        0 => Json::Null,
        1 => Json::Bool(true),
        2 => Numbers::Huge.pick(dice),
        3 => Numbers::Wide.pick(dice),
        4 => Json::Text("a/b~c'\\\u{7f}".to_owned()),
        5 => Json::Object(Vec::new()),
        6 => Json::List(
            (0..dice.below(3))
                .map(|_| surprise(dice, depth - 1))
                .collect(),
        ),
        7 => Json::Object(vec![
            ("value".to_owned(), surprise(dice, depth - 1)),
            (String::new(), Json::Null),
        ]),
        _ => Numbers::Noise.pick(dice),
    }
}

impl Metric {
    fn new(series: &str, node: Node, extras: bool) -> Self {
        let mut leaves = Vec::new();
        node.leaves(&mut Vec::new(), &mut leaves);
        Self {
            series: series.to_owned(),
            node,
            extras,
            leaves,
        }
    }

    /// Whether an aggregate of it is a number rather than an object.
    pub(crate) fn is_scalar(&self) -> bool {
        match self.leaves.as_slice() {
            [path] => path.is_empty() || path.as_slice() == ["value"],
            _ => false,
        }
    }

    pub(crate) fn value(&self, numbers: Numbers, dice: &mut Dice) -> Json {
        self.node.value(numbers, self.extras, dice)
    }
}

/// A metric type whose values are of every kind but numbers.
pub(crate) fn of_any_kind() -> Metric {
    Metric::new("text.any", Node::Other, false)
}

/// The metric types of every test.
pub(crate) fn catalogue() -> Vec<Metric> {
    use Node::{Bool, Integer, Nullable, Number, Text};
    let value = |node: Node| Node::object(&[("value", true, node)]);
    let position = Node::object(&[("x", true, Number), ("y", false, Number)]);
    let escaped = Node::object(&[
        ("a/b", true, Number),
        ("c~d", false, Number),
        ("ü", false, Nullable),
    ]);
    let mut all = vec![
        Metric::new("num.score", value(Number), false),
        Metric::new(
            "num.Color",
            Node::object(&[
                ("r", true, Number),
                ("g", true, Number),
                ("b", true, Number),
            ]),
            false,
        ),
        Metric::new("num.bare", Number, false),
        Metric::new(
            "num.place",
            Node::object(&[("pos", true, position), ("speed", false, Number)]),
            false,
        ),
        Metric::new(
            "num-gaps",
            Node::object(&[("a", false, Number), ("b", false, Integer)]),
            false,
        ),
        Metric::new("num.nullable", value(Nullable), false),
        Metric::new(
            "num.nulls_inside",
            Node::object(&[("p", true, Nullable), ("q", true, Integer)]),
            false,
        ),
        Metric::new("num.steps", value(Integer), false),
        Metric::new(
            "num.extra",
            Node::object(&[("v", true, Number), ("w", false, Nullable)]),
            true,
        ),
        Metric::new("num.extra_value", value(Number), true),
        Metric::new(
            "num.mixed",
            Node::object(&[
                ("level", true, Number),
                ("label", true, Text),
                ("on", false, Bool),
            ]),
            false,
        ),
        Metric::new("num.escaped", escaped, false),
        Metric::new("text.mood", Text, false),
        Metric::new("text.note", value(Text), false),
        Metric::new("text.flag", Bool, false),
        Metric::new(
            "text.form",
            Node::object(&[("word", true, Text), ("yes", false, Bool)]),
            false,
        ),
    ];
    let mut dice = Dice::new(20_251_123);
    for number in 0..5 {
        let node = random_node(&mut dice, 2);
        let mut metric = Metric::new(&format!("num.made_{number}"), node, dice.one_in(3));
        if metric.leaves.is_empty() {
            metric.series = format!("text.made_{number}");
        }
        all.push(metric);
    }
    all
}

fn random_node(dice: &mut Dice, depth: u32) -> Node {
    let keys = ["x", "y", "m/s", "tilde~", "Δ", "value"];
    let mut members: Vec<(&str, bool, Node)> = Vec::new();
    for key in keys {
        if dice.one_in(2) {
            let node = match dice.below(if depth == 0 { 5 } else { 8 }) {
                0 | 1 => Node::Number,
                2 => Node::Integer,
                3 => Node::Nullable,
                4 => Node::Text,
                _ => random_node(dice, depth - 1),
            };
            members.push((key, dice.one_in(2), node));
        }
    }
    members.push(("last", false, Node::Number));
    Node::object(&members)
}
