//! Parameter groups: `[[optimizer.groups]]`, as the param groups of torch.optim.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::{Value as Json, json};
use toml::{Table, Value};
use wildmatch::WildMatch;

use super::{Rule, UpdateKind};
use crate::registry::{FromTable, KeyError, schema};

/// `[optimizer]`: a rule, and groups of parameters with other options.
#[derive(Debug, Clone, PartialEq)]
pub struct Grouped {
    /// The rule of every parameter outside all groups.
    pub rule: Rule,
    /// The groups; a parameter belongs to the first that matches its name.
    pub groups: Vec<Group>,
}

/// Parameters with their own options.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// A pattern of names in the state dict: `*` matches anything, `?` one character.
    pub pattern: String,
    /// Whether they are not trained.
    pub frozen: bool,
    /// The optimizer's rule with the group's options.
    pub rule: Rule,
}

impl Group {
    /// Whether the parameter of this name belongs to it.
    pub fn matches(&self, name: &str) -> bool {
        WildMatch::new(&self.pattern).matches(name)
    }

    /// Reads a group over the optimizer's own `base` options; a group that names another optimizer starts from that
    /// one's defaults.
    fn read(mut table: Table, base: &Table) -> Result<Self, KeyError> {
        let pattern = match table.remove("match") {
            Some(Value::String(pattern)) if !pattern.is_empty() => pattern,
            Some(other) => {
                return Err(KeyError::new("match", format!("is {other}; give a parameter's name in quotes")));
            }
            None => {
                return Err(KeyError::new("match", "is missing; give parameters' names, as in \"*.bias\""));
            }
        };
        let frozen = match table.remove("frozen") {
            Some(Value::Boolean(frozen)) => frozen,
            Some(other) => return Err(KeyError::new("frozen", format!("is {other}; give true or false"))),
            None => false,
        };
        let same = table.get("name").is_none_or(|name| base.get("name") == Some(name));
        let mut merged = if same { base.clone() } else { Table::new() };
        merged.extend(table);
        Ok(Self { pattern, frozen, rule: Rule::from_table(merged)? })
    }

    /// Validates the options of a group of an optimizer with the rule `base`.
    fn check(&self, base: &Rule) -> Result<(), KeyError> {
        self.rule.validate()?;
        let closure = |rule: &Rule| matches!(rule.update_kind(), UpdateKind::Closure(_));
        if !self.frozen && (closure(base) || closure(&self.rule)) {
            let problem = "cannot have its own options: `lbfgs` updates all parameters at once and takes only \
                           `frozen = true`";
            return Err(KeyError::new("", problem));
        }
        Ok(())
    }
}

impl Grouped {
    /// Validates the options of the rule and of the groups; an error names the key.
    pub fn check(&self) -> Result<(), KeyError> {
        self.rule.validate()?;
        let check = |(index, group): (usize, &Group)| {
            group.check(&self.rule).map_err(|e| e.under(&format!("groups[{index}]")))
        };
        self.groups.iter().enumerate().try_for_each(check)
    }
}

/// The rule for all parameters, without groups.
impl From<Rule> for Grouped {
    fn from(rule: Rule) -> Self {
        Self { rule, groups: Vec::new() }
    }
}

impl FromTable for Grouped {
    fn from_table(mut table: Table) -> Result<Self, KeyError> {
        let tables = match table.remove("groups") {
            None => Vec::new(),
            Some(Value::Array(groups)) => groups,
            Some(other) => {
                let problem = format!("is a {}; write [[optimizer.groups]]", other.type_str());
                return Err(KeyError::new("groups", problem));
            }
        };
        let base = table.clone();
        let rule = Rule::from_table(table)?;
        let mut groups = Vec::new();
        for (index, group) in tables.into_iter().enumerate() {
            let under = |e: KeyError| e.under(&format!("groups[{index}]"));
            let Value::Table(group) = group else {
                return Err(under(KeyError::new("", "is no table; write [[optimizer.groups]]")));
            };
            groups.push(Group::read(group, &base).map_err(under)?);
        }
        let grouped = Self { rule, groups };
        grouped.check()?;
        Ok(grouped)
    }
}

/// The schema of a group with the rule of this entry.
fn group(mut rule: Schema) -> Schema {
    let pattern =
        "Which parameters: a pattern of names in the state dict; `*` matches anything, `?` one character.";
    let frozen = "Do not train them.";
    let closure = moves_all(schema::name_of(&rule));
    schema::add(
        &mut rule,
        [
            ("match".to_owned(), json!({ "type": "string", "minLength": 1, "description": pattern })),
            ("frozen".to_owned(), json!({ "type": "boolean", "default": false, "description": frozen })),
        ],
    );
    schema::require(&mut rule, "match");
    if closure { frozen_only(rule) } else { rule }
}

/// Whether the optimizer of this name updates all parameters at once.
fn moves_all(name: &str) -> bool {
    let table = Table::from_iter([("name".to_owned(), name.into())]);
    Rule::from_table(table).is_ok_and(|rule| matches!(rule.update_kind(), UpdateKind::Closure(_)))
}

/// A group that can only be frozen.
fn frozen_only(mut group: Schema) -> Schema {
    group.insert(
        "allOf".to_owned(),
        json!([{ "required": ["frozen"], "properties": { "frozen": { "const": true } } }]),
    );
    group
}

/// A group without a name has the optimizer's name, and its values for options that are left out.
fn unnamed(mut group: Schema) -> Schema {
    group.insert("required".to_owned(), json!(["match"]));
    if let Some(Json::Object(options)) = group.get_mut("properties") {
        options.remove("name");
        options.values_mut().filter_map(Json::as_object_mut).for_each(|option| _ = option.remove("default"));
    }
    group
}

impl JsonSchema for Group {
    fn schema_name() -> Cow<'static, str> {
        "Group".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let entries: Vec<Schema> = Rule::schemas(generator).into_iter().map(group).collect();
        schema::by_name(&entries)
    }
}

impl JsonSchema for Grouped {
    fn schema_name() -> Cow<'static, str> {
        "Grouped".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let groups = |items: Schema| {
            let description = "Groups of parameters with their own options; a parameter belongs to the first that matches its name.";
            [("groups".to_owned(), json!({ "type": "array", "description": description, "items": items }))]
        };
        let named = generator.subschema_for::<Group>();
        let mut entries = Rule::schemas(generator);
        let mut outline = schema::outline(&entries.iter().cloned().map(group).collect::<Vec<_>>());
        for rule in &mut entries {
            let own = unnamed(group(rule.clone()));
            let items = json_schema!({ "if": { "required": ["name"] }, "then": named, "else": own });
            let items = if moves_all(schema::name_of(rule)) { frozen_only(items) } else { items };
            schema::add(rule, groups(items));
        }
        outline.remove("required");
        let mut whole = schema::outline(&entries);
        schema::add(&mut whole, groups(outline));
        schema::cases(whole, &entries)
    }
}

impl Serialize for Grouped {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::Error as _;
        let table = |rule: &Rule| Table::try_from(rule).map_err(S::Error::custom);
        let mut whole = table(&self.rule)?;
        let mut groups = Vec::new();
        for group in &self.groups {
            let mut own = Table::new();
            own.insert("match".to_owned(), group.pattern.clone().into());
            own.insert("frozen".to_owned(), group.frozen.into());
            own.extend(table(&group.rule)?);
            groups.push(Value::Table(own));
        }
        if !groups.is_empty() {
            whole.insert("groups".to_owned(), Value::Array(groups));
        }
        whole.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Grouped, KeyError> {
        Grouped::from_table(text.parse().unwrap())
    }

    #[test]
    fn a_group_has_the_optimizers_options_but_for_its_own() {
        let text = "name = 'adam'\nlr = 0.5\neps = 0.1\n[[groups]]\nmatch = '*.bias'\nlr = 0.25\n\
                    [[groups]]\nmatch = 'fc.*'\nname = 'sgd'\n[[groups]]\nmatch = 'x'\nfrozen = true";
        let grouped = read(text).unwrap();
        let [bias, head, frozen] = grouped.groups.as_slice() else { panic!("three groups") };
        assert!(bias.matches("layer1.bias") && !bias.matches("layer1.weight"));
        let Rule::Adam(adam) = &bias.rule else { panic!("adam") };
        assert!((adam.lr - 0.25).abs() < 1e-15 && (adam.eps - 0.1).abs() < 1e-15);
        assert_eq!(head.rule.name(), "sgd");
        assert!(frozen.frozen);
        let again = toml::to_string(&grouped).unwrap();
        assert_eq!(read(&again).unwrap(), grouped);
    }

    #[test]
    fn mistakes_name_the_group() {
        let error = read("name = 'adam'\n[[groups]]\nmatch = 'x'\nlr = -1.0").unwrap_err();
        assert_eq!(error.path, "groups[0].lr");
        let error = read("name = 'adam'\n[[groups]]\nlr = 1.0").unwrap_err();
        assert_eq!(error.path, "groups[0].match");
        assert!(read("name = 'lbfgs'\n[[groups]]\nmatch = 'x'\nlr = 1.0").is_err());
        assert!(read("name = 'lbfgs'\n[[groups]]\nmatch = 'x'\nfrozen = true").is_ok());
    }
}
