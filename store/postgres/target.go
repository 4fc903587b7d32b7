package postgres

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/editlock/editlock/store/kv"
)

const (
	schemaVersion = 6
	oldestServer  = 130000
	maxPayload    = 7900 // bytes of a notification; NOTIFY carries less than 8,000
)

// What makes the tables and the functions, in this order.
var (
	//go:embed tables.sql
	tablesSQL string
	//go:embed read.sql
	readSQL string
	//go:embed commit.sql
	commitSQL string
	//go:embed guard.sql
	guardSQL string
)

// target is where a store is.
type target struct {
	config *pgxpool.Config
	listen *pgx.ConnConfig // nil: nowhere to LISTEN
	pooled bool            // nothing that belongs to a session can be relied on
	schema string          // "": the one that the server takes, until prepare

	channel string // of notifications; known after prepare
}

// parse reads a URL.
func parse(url string) (*target, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", unreadable(err))
	}
	t := &target{config: config}
	// What is no parameter of the driver's would be sent to the server.
	params := config.ConnConfig.RuntimeParams
	t.schema = params["schema"]
	if path := params["search_path"]; t.schema == "" && path != "" {
		t.schema = strings.Trim(strings.TrimSpace(strings.Split(path, ",")[0]), `"`)
	}
	if len(t.schema) > 63 || strings.ContainsAny(t.schema, "\x00@'\\$%") {
		return nil, fmt.Errorf("postgres: schema %q: at most 63 bytes, none of @ ' \\ $ %%", t.schema)
	}
	listen := params["listen_url"]
	delete(params, "schema")
	delete(params, "search_path")
	delete(params, "listen_url")
	if params["application_name"] == "" {
		params["application_name"] = "editlock"
	}
	if listen != "" {
		if t.listen, err = pgx.ParseConfig(listen); err != nil {
			return nil, fmt.Errorf("postgres: listen_url: %w", unreadable(err))
		}
	}
	return t, nil
}

// fill puts the schema, and what hangs on it, into the text of statements.
func (t *target) fill(text string) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte("editlock " + t.schema)) // hashes don't fail
	lock := int64(h.Sum64())
	return strings.NewReplacer(
		"@schema@", pgx.Identifier{t.schema}.Sanitize(),
		"@lock@", strconv.FormatInt(lock, 10),
		"@never@", strconv.FormatInt(math.MaxInt64, 10),
		"@payload@", strconv.Itoa(maxPayload),
		"@version@", strconv.Itoa(schemaVersion),
		"@window@", strconv.FormatInt(kv.Window.Microseconds(), 10),
	).Replace(text)
}

// prepare looks at the server, and makes the tables if they are missing.
func (t *target) prepare(ctx context.Context, types *types) (err error) {
	once := t.config.ConnConfig.Copy()
	once.DefaultQueryExecMode = pgx.QueryExecModeExec // works through any pooler
	conn, err := pgx.ConnectConfig(ctx, once)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	about, err := t.look(ctx, conn)
	if err != nil {
		return err
	}
	t.route(about.backend != int(conn.PgConn().PID()))
	if err := t.migrate(ctx, conn); err != nil {
		return err
	}
	if err := conn.QueryRow(ctx, t.fill("SELECT channel FROM @schema@.editlock_meta")).Scan(&t.channel); err != nil {
		return err
	}
	return types.load(ctx, conn, t.schema)
}

// types are the OIDs of the types of arguments.
type types struct{ cond, write, entry, note, rng, query uint32 }

func (o *types) load(ctx context.Context, conn *pgx.Conn, schema string) error {
	rows, err := conn.Query(ctx, `SELECT t.typname, t.oid FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname = $1`, schema)
	if err != nil {
		return err
	}
	var (
		name string
		oid  uint32
	)
	_, err = pgx.ForEachRow(rows, []any{&name, &oid}, func() error {
		for of, to := range map[string]*uint32{
			"cond": &o.cond, "write": &o.write, "entry": &o.entry, "note": &o.note, "range": &o.rng, "query": &o.query,
		} {
			if name == "editlock_"+of {
				*to = oid
			}
		}
		return nil
	})
	return err
}

// about is what a server says of itself.
type about struct{ version, backend int }

// look refuses servers that won't do, and finds out the schema.
func (t *target) look(ctx context.Context, conn *pgx.Conn) (a about, err error) {
	var (
		encoding           string
		current            *string
		standby, readsOnly bool
	)
	err = conn.QueryRow(ctx, `SELECT current_setting('server_version_num')::int, current_setting('server_encoding'),
		current_schema()::text, pg_backend_pid(), pg_is_in_recovery(), current_setting('transaction_read_only')::bool`).
		Scan(&a.version, &encoding, &current, &a.backend, &standby, &readsOnly)
	switch {
	case err != nil:
		return a, err
	case a.version < oldestServer:
		return a, fmt.Errorf("the server is PostgreSQL %d.%d; needed is 13 or newer", a.version/10000, a.version%10000)
	case standby:
		return a, errors.New("the server is a standby, which can't be written to: name the primary, or add target_session_attrs=read-write")
	case readsOnly:
		return a, errors.New("the server takes no writes: default_transaction_read_only is on; turn it off for this role or database")
	case encoding != "UTF8":
		return a, fmt.Errorf("the database's encoding is %s; needed is UTF8", encoding)
	case t.schema != "":
	case current == nil:
		return a, errors.New("the role has no schema of its own; name one with ?schema=")
	default:
		t.schema = *current
	}
	return a, nil
}

// route decides how to send statements, and where to LISTEN. A pooler shows
// itself by the process ID that it makes up: between it and the server,
// nothing that belongs to a session can be relied on.
func (t *target) route(pooled bool) {
	c := t.config.ConnConfig
	if t.pooled = pooled; pooled {
		return
	}
	if t.listen == nil {
		t.listen = c.Copy()
	}
	// See settings.
	for name, value := range planning {
		c.RuntimeParams[name] = value
	}
	c.RuntimeParams["default_transaction_isolation"] = "read committed" // an older snapshot would not show what the lock's last owner wrote
}

// migrate makes the tables, or checks that they are ours.
func (t *target) migrate(ctx context.Context, conn *pgx.Conn) error {
	if present, err := t.check(ctx, conn); present || err != nil {
		return err
	}
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}) // to see what was done while the lock was waited for
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // does nothing after Commit
	if _, err := tx.Exec(ctx, t.fill("SELECT pg_advisory_xact_lock(@lock@)")); err != nil {
		return err
	}
	// Another process may have been quicker.
	if present, err := t.check(ctx, tx); present || err != nil {
		return err
	}
	var exists bool
	if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)", t.schema).Scan(&exists); err != nil {
		return err
	}
	script := t.fill(strings.Join([]string{tablesSQL, readSQL, commitSQL, guardSQL}, "\n"))
	if !exists {
		script = t.fill("CREATE SCHEMA @schema@;\n") + script
	}
	if _, err := tx.Conn().PgConn().Exec(ctx, script).ReadAll(); err != nil {
		return err
	}
	return tx.Commit(ctx)
}

// check reports whether the tables are there, and an error if they are not of
// this version.
func (t *target) check(ctx context.Context, conn interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
},
) (present bool, err error) {
	// Not to_regclass: the server remembers what it did not find.
	const find = `SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = $1 AND c.relname = 'editlock_meta')`
	if err := conn.QueryRow(ctx, find, t.schema).Scan(&present); err != nil || !present {
		return false, err
	}
	var version int
	if err := conn.QueryRow(ctx, t.fill("SELECT version FROM @schema@.editlock_meta")).Scan(&version); err != nil {
		return true, err
	}
	switch {
	case version < schemaVersion:
		return true, fmt.Errorf("the tables in schema %s have version %d, those of an older editlock: drop what is named editlock_* in it, "+
			"or name another schema with ?schema=, to start over (the older editlock's \"history --json\" keeps the history); nothing was changed", t.schema, version)
	case version > schemaVersion:
		return true, fmt.Errorf("the tables in schema %s have version %d, this editlock knows version %d: use a newer editlock; nothing was changed",
			t.schema, version, schemaVersion)
	}
	return true, nil
}
