//! The commands of clients: put, update, delete, get, query, scan.

use goldenscript::ArgumentConsumer;
use item::AttributeValue;
use item::expression::{Binder, Cache, Condition, Substitutions};
use item::operation::{Delete, Get, PageOptions, Put, Query, Scan, UpdateItem, WriteOptions};
use partition::page::Effort;
use partition::{Home, delete, get, put, query, scan, update};
use types::{KeySchema, TableName};

use crate::notation::{self, Result};
use crate::show;
use crate::world::World;

fn table() -> Result<TableName> {
    Ok(TableName::new("table")?)
}

/// `put ITEM`, `update KEY [EXPRESSION]` and `delete KEY`, each with
/// `[if=CONDITION] [with=MAP] [return=WHAT] [on_failure=true] [request=ID] [at=TIME] [padding=BYTES]`; the
/// last gives the item an attribute `padding` of that size.
pub fn write(world: &mut World, verb: &str, arguments: &mut ArgumentConsumer<'_>) -> Result<String> {
    let moment = world.tick(arguments.take_key("at").map(notation::time).transpose()?);
    let mut target = notation::item(arguments.next_pos().ok_or("an item is missing")?)?;
    if let Some(bytes) = arguments.take_key("padding") {
        target.insert("padding".to_owned(), AttributeValue::S("x".repeat(bytes.parse()?)));
    }
    let expression = arguments.next_pos();
    let substitutions = with(arguments)?;
    let mut cache = Cache::new();
    let mut binder = Binder::new(&substitutions, &mut cache)?;
    let expression = expression.map(|text| binder.update(text)).transpose()?;
    let options = write_options(arguments, &mut binder)?;
    binder.finish()?;
    let (view, home) = (world.view(), &world.home);
    let decision = match verb {
        "put" => {
            let put = Put { table: table()?, item: target, options };
            let key = put::check(home, &put)?;
            put::decide(&view, home, moment, key, put)?
        }
        "update" => {
            let update = UpdateItem { table: table()?, key: target, update: expression, options };
            let key = update::check(home, &update)?;
            update::decide(&view, home, moment, key, update)?
        }
        _ => {
            let delete = Delete { table: table()?, key: target, options };
            let key = delete::check(home, &delete)?;
            delete::decide(&view, home, moment, key, delete)?
        }
    };
    Ok(world.take(decision, |_, answer| show::answer(answer)))
}

fn write_options(arguments: &mut ArgumentConsumer<'_>, binder: &mut Binder<'_>) -> Result<WriteOptions> {
    let return_values = arguments.take_key("return").map(notation::return_values).transpose()?;
    Ok(WriteOptions {
        condition: arguments.take_key("if").map(|text| binder.condition(text)).transpose()?,
        return_values: return_values.unwrap_or_default(),
        return_on_failure: flag(arguments, "on_failure")?,
        request: arguments.take_key("request").map(notation::request).transpose()?,
    })
}

/// `get KEY`.
pub fn get(world: &World, arguments: &mut ArgumentConsumer<'_>) -> Result<String> {
    let key = notation::item(arguments.next_pos().ok_or("a key is missing")?)?;
    let get = Get { table: table()?, key, consistent: true, projection: None };
    let key = get::check(&world.home, &get)?;
    let found = get::read(&world.engine, &world.home, key)?;
    Ok(found.map_or("absent".to_owned(), |found| show::item(&found)))
}

/// `query CONDITION [backward=true]` with the options of a page.
pub fn query(world: &World, arguments: &mut ArgumentConsumer<'_>) -> Result<String> {
    let text = arguments.next_pos().ok_or("a key condition is missing")?;
    let substitutions = with(arguments)?;
    let mut cache = Cache::new();
    let mut binder = Binder::new(&substitutions, &mut cache)?;
    let condition = binder.key_condition(text)?;
    let page = page_options(arguments, &mut binder, &world.home.key)?;
    binder.finish()?;
    let forward = !flag(arguments, "backward")?;
    let query = Query { table: table()?, condition, forward, page };
    let plan = query::plan(&world.home.key, &query)?;
    let Home { table, key, .. } = &world.home;
    let page = query::read(&world.engine, *table, key, &plan, &query, Effort::Page)?;
    Ok(show::page(&page.ok_or("a page is never too long for a page")?))
}

/// `scan [segment=INDEX/COUNT]` with the options of a page.
pub fn scan(world: &World, arguments: &mut ArgumentConsumer<'_>) -> Result<String> {
    let substitutions = with(arguments)?;
    let mut cache = Cache::new();
    let mut binder = Binder::new(&substitutions, &mut cache)?;
    let page = page_options(arguments, &mut binder, &world.home.key)?;
    binder.finish()?;
    let segment = match arguments.take_key("segment") {
        Some(text) => {
            let (index, count) = text.split_once('/').ok_or("a segment is index/count")?;
            Some((index.parse()?, count.parse()?))
        }
        None => None,
    };
    let scan = Scan { table: table()?, segment, from: None, page };
    let plan = scan::plan(&world.home.key, &scan)?;
    let Home { table, key, .. } = &world.home;
    let page = scan::read(&world.engine, *table, key, &plan, &scan, Effort::Page)?;
    Ok(show::page(&page.ok_or("a page is never too long for a page")?))
}

/// `[filter=CONDITION] [projection=PATHS] [with=MAP] [count=true] [limit=N] [after=KEY]`.
fn page_options(
    arguments: &mut ArgumentConsumer<'_>,
    binder: &mut Binder<'_>,
    key: &KeySchema,
) -> Result<PageOptions> {
    let filter = arguments.take_key("filter").map(|text| binder.filter(text)).transpose()?;
    filter.as_ref().map(|filter: &Condition| filter.check_filter(key)).transpose()?;
    Ok(PageOptions {
        filter,
        projection: arguments.take_key("projection").map(|text| binder.projection(text)).transpose()?,
        count_only: flag(arguments, "count")?,
        limit: arguments.take_key("limit").map(str::parse).transpose()?,
        after: arguments.take_key("after").map(notation::item).transpose()?,
        consistent: true,
    })
}

fn with(arguments: &mut ArgumentConsumer<'_>) -> Result<Substitutions> {
    Ok(arguments.take_key("with").map(notation::substitutions).transpose()?.unwrap_or_default())
}

fn flag(arguments: &mut ArgumentConsumer<'_>, name: &str) -> Result<bool> {
    Ok(arguments.take_key(name).map(str::parse).transpose()?.unwrap_or(false))
}
