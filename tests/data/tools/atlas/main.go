// SPDX-License-Identifier: ISC

// Atlas without its command line, which is no Go module of its own: its library reads, orders,
// splits, hashes and runs the files and takes the lock; ent, which the command line keeps its
// revisions with, makes and writes the table.
//
//	program hash|apply|status|late FOLDER
//
// with the database in DATABASE_URL. With ATLAS_CLOUD set, apply writes the row that Atlas Cloud
// knows a database by. late is apply that takes late files, too.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"ariga.io/atlas/sql/migrate"
	_ "ariga.io/atlas/sql/postgres"
	"ariga.io/atlas/sql/schema"
	"ariga.io/atlas/sql/sqlclient"
	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	entschema "entgo.io/ent/dialect/sql/schema"
	"entgo.io/ent/dialect/sql/sqlgraph"
	"entgo.io/ent/schema/field"
	_ "github.com/lib/pq"
)

const name = "atlas_schema_revisions" // of the schema and of the table in it

var columns = []*entschema.Column{
	{Name: "version", Type: field.TypeString},
	{Name: "description", Type: field.TypeString},
	{Name: "type", Type: field.TypeUint, Default: 2},
	{Name: "applied", Type: field.TypeInt, Default: 0},
	{Name: "total", Type: field.TypeInt, Default: 0},
	{Name: "executed_at", Type: field.TypeTime},
	{Name: "execution_time", Type: field.TypeInt64},
	{Name: "error", Type: field.TypeString, Nullable: true, Size: 2147483647},
	{Name: "error_stmt", Type: field.TypeString, Nullable: true, Size: 2147483647},
	{Name: "hash", Type: field.TypeString},
	{Name: "partial_hashes", Type: field.TypeJSON, Nullable: true},
	{Name: "operator_version", Type: field.TypeString},
}

var table = &entschema.Table{Name: name, Columns: columns, PrimaryKey: columns[:1]}

// What is written once, by the first write of a revision.
var fixed = map[string]bool{"version": true, "description": true, "executed_at": true}

// revisions reads and writes the table through one client, which may be a transaction's.
type revisions struct{ client *sqlclient.Client }

func (r revisions) driver() *sql.Driver {
	return sql.NewDriver(dialect.Postgres, sql.Conn{ExecQuerier: r.client.Driver})
}

func (r revisions) Ident() *migrate.TableIdent {
	return &migrate.TableIdent{Name: name, Schema: name}
}

// create makes the schema by Atlas and the table by ent.
func (r revisions) create(ctx context.Context) error {
	_, err := r.client.InspectSchema(ctx, name, &schema.InspectOptions{Mode: schema.InspectSchemas})
	if schema.IsNotExistError(err) {
		err = r.client.ApplyChanges(ctx, []schema.Change{&schema.AddSchema{S: &schema.Schema{Name: name}}})
	}
	if err != nil {
		return err
	}
	in, err := sqlclient.OpenURL(ctx, r.client.URL.URL, sqlclient.OpenSchema(name))
	if err != nil {
		return err
	}
	defer in.Close()
	m, err := entschema.NewMigrate(sql.OpenDB(dialect.Postgres, in.DB), entschema.WithDropColumn(true),
		entschema.WithSchemaName(name))
	if err != nil {
		return err
	}
	return m.Create(ctx, table)
}

func (r revisions) ReadRevisions(ctx context.Context) ([]*migrate.Revision, error) {
	rows := &sql.Rows{}
	query, args := sql.Dialect(dialect.Postgres).Select().From(sql.Table(name).Schema(name)).
		Where(sql.NEQ("version", ".atlas_cloud_identifier")).OrderBy("version").Query()
	if err := r.driver().Query(ctx, query, args, rows); err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []*migrate.Revision
	for rows.Next() {
		var v migrate.Revision
		var e, s sql.NullString
		var took int64
		var partial []byte
		if err := rows.Scan(&v.Version, &v.Description, &v.Type, &v.Applied, &v.Total, &v.ExecutedAt,
			&took, &e, &s, &v.Hash, &partial, &v.OperatorVersion); err != nil {
			return nil, err
		}
		v.ExecutionTime, v.Error, v.ErrorStmt = time.Duration(took), e.String, s.String
		list = append(list, &v)
	}
	return list, rows.Err()
}

func (r revisions) ReadRevision(ctx context.Context, version string) (*migrate.Revision, error) {
	list, err := r.ReadRevisions(ctx)
	for _, v := range list {
		if v.Version == version {
			return v, nil
		}
	}
	if err == nil {
		err = migrate.ErrRevisionNotExist
	}
	return nil, err
}

func (r revisions) WriteRevision(ctx context.Context, v *migrate.Revision) error {
	spec := sqlgraph.NewCreateSpec(name, sqlgraph.NewFieldSpec("version", field.TypeString))
	spec.Schema = name
	spec.ID.Value = v.Version
	spec.SetField("description", field.TypeString, v.Description)
	spec.SetField("type", field.TypeUint, v.Type)
	spec.SetField("applied", field.TypeInt, v.Applied)
	spec.SetField("total", field.TypeInt, v.Total)
	spec.SetField("executed_at", field.TypeTime, v.ExecutedAt)
	spec.SetField("execution_time", field.TypeInt64, v.ExecutionTime)
	spec.SetField("error", field.TypeString, v.Error)
	spec.SetField("error_stmt", field.TypeString, v.ErrorStmt)
	spec.SetField("hash", field.TypeString, v.Hash)
	spec.SetField("partial_hashes", field.TypeJSON, v.PartialHashes)
	spec.SetField("operator_version", field.TypeString, v.OperatorVersion)
	spec.OnConflict = []sql.ConflictOption{sql.ConflictColumns("version"), sql.ResolveWithNewValues(),
		sql.ResolveWith(func(u *sql.UpdateSet) {
			for _, column := range u.Columns() {
				if fixed[column] {
					u.SetIgnore(column)
				}
			}
		})}
	return sqlgraph.CreateNode(ctx, r.driver(), spec)
}

// identify writes the row by which Atlas Cloud tells databases apart.
func (r revisions) identify(ctx context.Context) error {
	spec := sqlgraph.NewCreateSpec(name, sqlgraph.NewFieldSpec("version", field.TypeString))
	spec.Schema = name
	spec.ID.Value = ".atlas_cloud_identifier"
	spec.SetField("description", field.TypeString, "00000000-0000-4000-8000-000000000000")
	spec.SetField("type", field.TypeUint, 2)
	spec.SetField("applied", field.TypeInt, 0)
	spec.SetField("total", field.TypeInt, 0)
	spec.SetField("executed_at", field.TypeTime, time.Now())
	spec.SetField("execution_time", field.TypeInt64, 0)
	spec.SetField("hash", field.TypeString, "")
	spec.SetField("operator_version", field.TypeString, "Atlas CLI")
	spec.OnConflict = []sql.ConflictOption{sql.ConflictColumns("version"), sql.ResolveWithIgnore()}
	return sqlgraph.CreateNode(ctx, r.driver(), spec)
}

func (r revisions) DeleteRevision(ctx context.Context, version string) error {
	query, args := sql.Dialect(dialect.Postgres).Delete(name).Schema(name).
		Where(sql.EQ("version", version)).Query()
	return r.driver().Exec(ctx, query, args, nil)
}

// apply runs what is pending, each file in a transaction of its own.
func apply(ctx context.Context, dir migrate.Dir, url string, options ...migrate.ExecutorOption) error {
	client, err := sqlclient.Open(ctx, url)
	if err != nil {
		return err
	}
	defer client.Close()
	unlock, err := client.Driver.Lock(ctx, "atlas_migrate_execute", 10*time.Second)
	if err != nil {
		return err
	}
	defer unlock()
	r := revisions{client}
	if err := r.create(ctx); err != nil {
		return err
	}
	if os.Getenv("ATLAS_CLOUD") != "" {
		if err := r.identify(ctx); err != nil {
			return err
		}
	}
	options = append(options, migrate.WithOperatorVersion("Atlas CLI"))
	executor, err := migrate.NewExecutor(client.Driver, dir, r, options...)
	if err != nil {
		return err
	}
	pending, err := executor.Pending(ctx)
	if errors.Is(err, migrate.ErrNoPendingFiles) {
		fmt.Println("No migration files to execute")
		return nil
	}
	if err != nil {
		return err
	}
	for _, f := range pending {
		tx, err := client.Tx(ctx, nil)
		if err != nil {
			return err
		}
		executor, err := migrate.NewExecutor(tx.Driver, dir, revisions{tx.Client}, options...)
		if err == nil {
			err = executor.Execute(ctx, f)
		}
		if err != nil {
			return errors.Join(err, tx.Rollback())
		}
		if err := tx.Commit(); err != nil {
			return err
		}
		fmt.Println("migrated", f.Name())
	}
	return nil
}

func status(ctx context.Context, dir migrate.Dir, url string) error {
	client, err := sqlclient.Open(ctx, url)
	if err != nil {
		return err
	}
	defer client.Close()
	executor, err := migrate.NewExecutor(client.Driver, dir, revisions{client})
	if err != nil {
		return err
	}
	pending, err := executor.Pending(ctx)
	if err != nil && !errors.Is(err, migrate.ErrNoPendingFiles) {
		return err
	}
	for _, f := range pending {
		fmt.Println("pending", f.Name())
	}
	return nil
}

func run(way, folder string) error {
	ctx, url := context.Background(), os.Getenv("DATABASE_URL")
	dir, err := migrate.NewLocalDir(folder)
	if err != nil {
		return err
	}
	if way == "hash" {
		sum, err := dir.Checksum()
		if err != nil {
			return err
		}
		return migrate.WriteSumFile(dir, sum)
	}
	if err := migrate.Validate(dir); err != nil {
		return err
	}
	switch way {
	case "apply":
		return apply(ctx, dir, url)
	case "late":
		return apply(ctx, dir, url, migrate.WithExecOrder(migrate.ExecOrderNonLinear))
	}
	return status(ctx, dir, url)
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: program hash|apply|late|status FOLDER")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}
