// SPDX-License-Identifier: ISC
//! sqlx, refinery and Diesel as their own command line programs call them:
//! `program TOOL up|down|status FOLDER`, with the database in DATABASE_URL.
use std::error::Error;
use std::path::Path;

type Done = Result<(), Box<dyn Error + Send + Sync>>;

async fn run_sqlx(way: &str, folder: &Path, url: &str) -> Done {
    use sqlx::migrate::{Migrate, Migrator};
    use sqlx::{Connection, PgConnection};
    let migrator = Migrator::new(folder).await?;
    let mut connection = PgConnection::connect(url).await?;
    if way == "up" {
        migrator.run(&mut connection).await?;
    } else if way == "status" {
        let applied = connection.list_applied_migrations().await?;
        for m in migrator
            .iter()
            .filter(|m| m.migration_type.is_up_migration())
        {
            if !applied.iter().any(|a| a.version == m.version) {
                println!("{}", m.version);
            }
        }
    } else {
        // As `sqlx migrate revert`: the newest one that is applied.
        let applied: Vec<i64> =
            sqlx::query_scalar("SELECT version FROM _sqlx_migrations ORDER BY 1 DESC LIMIT 2")
                .fetch_all(&mut connection)
                .await?;
        migrator
            .undo(&mut connection, applied.get(1).copied().unwrap_or(0))
            .await?;
    }
    connection.close().await?;
    Ok(())
}

fn run_refinery(way: &str, folder: &Path, url: &str) -> Done {
    let migrations = refinery::load_sql_migrations(folder)?;
    let mut client = postgres::Client::connect(url, postgres::NoTls)?;
    let runner = refinery::Runner::new(&migrations).set_grouped(way == "grouped");
    if way == "status" {
        let applied = runner.get_applied_migrations(&mut client)?;
        for m in &migrations {
            if !applied.iter().any(|a| a.version() == m.version()) {
                println!("{}", m.version());
            }
        }
    } else {
        runner.run(&mut client)?;
    }
    Ok(())
}

fn run_diesel(way: &str, folder: &Path, url: &str) -> Done {
    use diesel::{Connection, PgConnection};
    use diesel_migrations::{FileBasedMigrations, MigrationHarness};
    let migrations = FileBasedMigrations::from_path(folder)?;
    let mut connection = PgConnection::establish(url)?;
    if way == "up" {
        connection.run_pending_migrations(migrations)?;
    } else if way == "status" {
        for m in connection.pending_migrations(migrations)? {
            println!("{}", m.name().version());
        }
    } else {
        connection.revert_last_migration(migrations)?;
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [tool, way, folder] = &words[..] else {
        eprintln!("usage: program sqlx|refinery|diesel up|down|status|grouped FOLDER");
        std::process::exit(2);
    };
    let url = std::env::var("DATABASE_URL").expect("DATABASE_URL");
    let folder = Path::new(folder).to_path_buf();
    let way = way.clone();
    let done = match tool.as_str() {
        "sqlx" => run_sqlx(&way, &folder, &url).await,
        "refinery" => tokio::task::spawn_blocking(move || run_refinery(&way, &folder, &url))
            .await
            .expect("a thread"),
        _ => run_diesel(&way, &folder, &url),
    };
    if let Err(e) = done {
        // Every tool wraps the server's error in its own.
        let mut next: Option<&dyn Error> = Some(e.as_ref());
        while let Some(e) = next {
            eprintln!("{e}");
            next = e.source();
        }
        std::process::exit(1);
    }
}
