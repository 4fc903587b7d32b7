package guard_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/guard"
	"github.com/editlock/editlock/internal/enginetest"
	"github.com/editlock/editlock/store/mariadb"
	"github.com/editlock/editlock/store/postgres"
	"github.com/editlock/editlock/store/sqlite"
)

// versioned is an application's table that says of each save whose it was.
type versioned struct {
	locks *editlock.Manager
	db    *sql.DB
	// outside is a program that knows no locks.
	outside *sql.DB
	// check is CheckRecord within a transaction of database/sql, or of pgx.
	check func(ctx context.Context, tx *sql.Tx, token editlock.Token, r guard.Record) error
	mark  func(n int) string // a placeholder
	// late is that somebody else may still write after the check, and the save then fails.
	late bool
}

const ownVersion = "SELECT CONCAT('', revision), " +
	"CASE WHEN saved = revision THEN saved_token END, saved_seen, saved_number FROM record WHERE id = "

func newVersioned(t *testing.T, locks *editlock.Manager, db *sql.DB, v versioned) *versioned {
	t.Helper()
	if v.outside == nil {
		v.outside = db
	}
	t.Cleanup(func() {
		_ = locks.Close()
		_ = db.Close()
		_ = v.outside.Close()
	})
	for _, q := range []string{
		"CREATE TABLE record (id INTEGER PRIMARY KEY, text VARCHAR(100), revision INTEGER, " +
			"saved INTEGER, saved_token BIGINT, saved_seen VARCHAR(200), saved_number BIGINT)",
		"INSERT INTO record (id, text, revision) VALUES (42, 'first', 1)",
	} {
		if _, err := db.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	v.locks, v.db = locks, db
	return &v
}

// save saves a text as an application does it; between runs after the check.
func (v *versioned) save(ctx context.Context, token editlock.Token, r guard.Record, text string, between func()) error {
	r.Args = []any{42}
	r.Query = strings.TrimSuffix(ownVersion, " ") + " " + v.mark(1)
	if r.Save == 0 {
		r.Query = "SELECT CONCAT('', revision) FROM record WHERE id = " + v.mark(1)
	}
	tx, err := v.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if err := v.check(ctx, tx, token, r); err != nil {
		return err
	}
	if between != nil {
		between()
	}
	_, err = tx.ExecContext(ctx, "UPDATE record SET saved = revision + 1, revision = revision + 1, text = "+v.mark(1)+
		", saved_token = "+v.mark(2)+", saved_seen = "+v.mark(3)+", saved_number = "+v.mark(4)+" WHERE id = 42",
		text, int64(token), r.Seen, r.Save) //nolint:gosec // a test's token
	if err != nil {
		return err
	}
	return tx.Commit()
}

// past writes past the lock, as an import does.
func (v *versioned) past(ctx context.Context, text string) error {
	_, err := v.outside.ExecContext(ctx, "UPDATE record SET revision = revision + 1, text = "+v.mark(1)+" WHERE id = 42", text)
	return err
}

func (v *versioned) want(t *testing.T, text string) {
	t.Helper()
	var got string
	if err := v.db.QueryRowContext(t.Context(), "SELECT text FROM record WHERE id = 42").Scan(&got); err != nil || got != text {
		t.Errorf("the text is %q, %v; want %q", got, err, text)
	}
}

func question(int) string { return "?" }

func dollar(n int) string { return "$" + string(rune('0'+n)) }

func versionedSQLite(t *testing.T, attached bool) *versioned {
	path := filepath.Join(t.TempDir(), "editlock.db")
	st, err := sqlite.Open(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	file, g := path, guard.SQLite("")
	if attached {
		file, g = filepath.Join(t.TempDir(), "app.db"), guard.SQLite("locks")
	}
	open := func() *sql.DB {
		db, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)")
		if err != nil {
			t.Fatal(err)
		}
		db.SetMaxOpenConns(1) // of which ATTACH is
		return db
	}
	db := open()
	v := newVersioned(t, editlock.NewManager(st, nil), db, versioned{
		outside: open(), mark: question, late: attached, check: func(ctx context.Context, tx *sql.Tx, token editlock.Token, r guard.Record) error {
			return g.CheckRecord(ctx, tx, report, token, r)
		},
	})
	if attached {
		if _, err := db.ExecContext(t.Context(), "ATTACH ? AS locks", path); err != nil {
			t.Fatal(err)
		}
	}
	return v
}

// versionedPostgres checks by pgx on the connection of the transaction, or by database/sql.
func versionedPostgres(t *testing.T, server *enginetest.Postgres, native bool) *versioned {
	url, schema := server.Schema(t)
	st, err := postgres.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	config, err := pgx.ParseConfig(enginetest.With(server.URL, "search_path="+schema))
	if err != nil {
		t.Fatal(err)
	}
	return newVersioned(t, editlock.NewManager(st, nil), stdlib.OpenDB(*config), versioned{
		mark: dollar, check: func(ctx context.Context, tx *sql.Tx, token editlock.Token, r guard.Record) error {
			if native {
				return guard.CheckRecordPgx(ctx, guard.Postgres(schema), inPgx{tx}, report, token, r)
			}
			return guard.Postgres("").CheckRecord(ctx, tx, report, token, r)
		},
	})
}

// inPgx has the method of a pgx.Tx.
type inPgx struct{ tx *sql.Tx }

func (p inPgx) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	return p.tx.QueryRowContext(ctx, query, args...)
}

func versionedMariaDB(t *testing.T, server *enginetest.MariaDB) *versioned {
	url := server.Database(t)
	st, err := mariadb.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("mysql", enginetest.MariaDBSource(url))
	if err != nil {
		t.Fatal(err)
	}
	_, base, _ := strings.Cut(strings.TrimPrefix(url, "mysql://"), "/")
	return newVersioned(t, editlock.NewManager(st, nil), db, versioned{
		mark: question, check: func(ctx context.Context, tx *sql.Tx, token editlock.Token, r guard.Record) error {
			// A snapshot that is older than what is written past the lock: the check must not
			// read the record from it.
			if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM record").Scan(new(int)); err != nil {
				return err
			}
			return guard.MariaDB(base).CheckRecord(ctx, tx, report, token, r)
		},
	})
}

func TestCheckRecord(t *testing.T) {
	server, maria := enginetest.StartPostgres(t), enginetest.StartMariaDB(t)
	for _, tt := range []struct {
		name string
		open func(t *testing.T) *versioned
	}{
		{"PostgreSQL by database/sql", func(t *testing.T) *versioned { return versionedPostgres(t, server, false) }},
		{"PostgreSQL by pgx's method", func(t *testing.T) *versioned { return versionedPostgres(t, server, true) }},
		{"MariaDB", func(t *testing.T) *versioned { return versionedMariaDB(t, maria) }},
		{"SQLite in one file", func(t *testing.T) *versioned { return versionedSQLite(t, false) }},
		{"SQLite attached", func(t *testing.T) *versioned { return versionedSQLite(t, true) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Run("a record that was written past the lock is not overwritten", func(t *testing.T) { testChanged(t, tt.open(t)) })
			t.Run("one's own saves are in nobody's way", func(t *testing.T) { testOwn(t, tt.open(t)) })
			t.Run("nobody writes between the check and the commit", func(t *testing.T) { testNoWindow(t, tt.open(t)) })
		})
	}
}

func testChanged(t *testing.T, v *versioned) {
	ctx := t.Context()
	ann := capture(t, v.locks, "ann", report)
	if err := v.save(ctx, ann.Token, guard.Record{Seen: "1"}, "ann's", nil); err != nil {
		t.Fatal(err)
	}
	if err := v.past(ctx, "imported"); err != nil {
		t.Fatal(err)
	}
	err := v.save(ctx, ann.Token, guard.Record{Seen: "2"}, "ann's again", nil)
	var changed *guard.ChangedError
	if !errors.As(err, &changed) || !errors.Is(err, guard.ErrChanged) {
		t.Fatalf("a save of a changed record: %v, want ErrChanged", err)
	}
	if *changed != (guard.ChangedError{ID: report, Seen: "2", Current: "3"}) {
		t.Errorf("it says %+v", *changed)
	}
	v.want(t, "imported")
	if err := v.save(ctx, ann.Token, guard.Record{Seen: "3"}, "ann's, merged", nil); err != nil {
		t.Errorf("a save of the version that is there: %v", err)
	}
	if err := v.save(ctx, ann.Token+1, guard.Record{Seen: "1"}, "stale", nil); !errors.Is(err, editlock.ErrLost) {
		t.Errorf("a save of a lost lock and a changed record: %v, want ErrLost", err)
	}
	v.want(t, "ann's, merged")
	if _, err := v.db.ExecContext(ctx, "DELETE FROM record"); err != nil {
		t.Fatal(err)
	}
	err = v.save(ctx, ann.Token, guard.Record{Seen: "4"}, "of nothing", nil)
	if !errors.As(err, &changed) || !changed.Gone || changed.Current != "" {
		t.Errorf("a save of a record that is gone: %v", err)
	}
}

func testOwn(t *testing.T, v *versioned) {
	ctx := t.Context()
	ann := capture(t, v.locks, "ann", report)
	save := func(seen string, number int64, text string, want error) {
		t.Helper()
		if err := v.save(ctx, ann.Token, guard.Record{Seen: seen, Save: number}, text, nil); !errors.Is(err, want) {
			t.Errorf("save %d of version %s: %v, want %v", number, seen, err, want)
		}
	}
	save("1", 10, "first", nil)
	save("2", 11, "second", nil)
	save("2", 12, "third, as the answer to the second was lost", nil)
	save("2", 13, "fourth, as that to the third was lost, too", nil)
	v.want(t, "fourth, as that to the third was lost, too")
	save("2", 12, "the third again, late", guard.ErrChanged)
	save("2", 11, "the second again, late", guard.ErrChanged)
	v.want(t, "fourth, as that to the third was lost, too")
	if err := v.past(ctx, "imported"); err != nil {
		t.Fatal(err)
	}
	save("2", 14, "fifth", guard.ErrChanged)
	save("5", 15, "sixth", guard.ErrChanged)
	save("6", 16, "merged", nil)
	save("2", 17, "of what was seen before the import", guard.ErrChanged)
	v.want(t, "merged")
	bob, err := v.locks.Takeover(editlock.WithOwner(ctx, owner("bob")), report, ann.Token, "urgent", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.save(ctx, bob.Token, guard.Record{Seen: "6", Save: 99}, "bob's", nil); !errors.Is(err, guard.ErrChanged) {
		t.Errorf("another's save of what was seen before: %v", err)
	}
}

func testNoWindow(t *testing.T, v *versioned) {
	ann := capture(t, v.locks, "ann", report)
	past := make(chan error, 1)
	err := v.save(t.Context(), ann.Token, guard.Record{Seen: "1"}, "ann's", func() {
		go func() { past <- v.past(t.Context(), "imported") }()
		select {
		case err := <-past:
			past <- err
			if !v.late {
				t.Errorf("written past the check: %v", err)
			}
		case <-time.After(200 * time.Millisecond):
		}
	})
	if v.late != (err != nil) {
		t.Errorf("the save: %v", err)
	}
	if err := <-past; err != nil {
		t.Errorf("the other write: %v", err)
	}
	v.want(t, "imported") // written after the save or instead of it, and not lost
	if err := v.save(t.Context(), ann.Token, guard.Record{Seen: "1"}, "ann's again", nil); !errors.Is(err, guard.ErrChanged) {
		t.Errorf("the next save: %v", err)
	}
}

// A driver's own rows are pgx's, with an error of its own for none of them.
func TestCheckRecordPgx_WithPgx(t *testing.T) {
	server := enginetest.StartPostgres(t)
	v := versionedPostgres(t, server, false)
	ann := capture(t, v.locks, "ann", report)
	conn, err := v.db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	err = conn.Raw(func(raw any) error {
		native := raw.(*stdlib.Conn).Conn()
		check := func(query string, r guard.Record) error {
			return pgx.BeginFunc(t.Context(), native, func(tx pgx.Tx) error {
				r.Query = query
				return guard.CheckRecordPgx(t.Context(), "", tx, report, ann.Token, r)
			})
		}
		if err := check("SELECT revision::text FROM record", guard.Record{Seen: "1"}); err != nil {
			t.Errorf("the version seen: %v", err)
		}
		if err := check(ownVersion+"42", guard.Record{Seen: "1", Save: 1}); err != nil {
			t.Errorf("the version seen, with columns of no save: %v", err)
		}
		if err := check("SELECT revision::text FROM record WHERE id = 7", guard.Record{Seen: "1"}); !errors.Is(err, guard.ErrChanged) {
			t.Errorf("no record: %v", err)
		}
		for _, query := range []string{"SELECT max(revision)::text FROM record", "SELECT NULL::text FROM record"} {
			if err := check(query, guard.Record{Seen: "1"}); err == nil || errors.Is(err, guard.ErrChanged) {
				t.Errorf("%s: %v, want that it is no version", query, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestCheckRecord_RefusesWhatIsNoVersion(t *testing.T) {
	const query = "SELECT revision FROM record"
	for _, r := range []guard.Record{
		{Query: query},
		{Query: query, Seen: strings.Repeat("x", guard.MaxVersion+1)},
		{Query: query, Seen: "a\nb"},
		{Query: query, Seen: "\xff"},
		{Query: query, Seen: "1", Save: -1},
		{Seen: "1"},
	} {
		for name, err := range map[string]error{
			"SQLite":   guard.SQLite("").CheckRecord(t.Context(), nil, report, 1, r),
			"Postgres": guard.Postgres("").CheckRecord(t.Context(), nil, report, 1, r),
			"pgx":      guard.CheckRecordPgx(t.Context(), "", pgx.Tx(nil), report, 1, r),
			"MariaDB":  guard.MariaDB("").CheckRecord(t.Context(), nil, report, 1, r),
		} {
			if !errors.Is(err, editlock.ErrInvalid) {
				t.Errorf("%s, %+v: %v", name, r, err)
			}
		}
	}
}

// Every client sends the version as testdata/guard/versions.json says; the Django
// guard and the element are held to the same file.
func TestVersions_AreReadAsEveryClientSendsThem(t *testing.T) {
	var contract struct {
		Header, Answer, Field, Code string
		Status                      int
		SaveHeader                  string `json:"save_header"`
		SaveField                   string `json:"save_field"`
		Tags                        []struct{ Version, Tag string }
		Read                        []struct{ Name, Header, Version string }
	}
	data, err := os.ReadFile("../testdata/guard/versions.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &contract); err != nil {
		t.Fatal(err)
	}
	if contract.Field != guard.VersionField || contract.Code != guard.Changed ||
		contract.SaveHeader != guard.SaveHeader || contract.SaveField != guard.SaveField {
		t.Errorf("the names are %+v", contract)
	}
	for _, tt := range contract.Tags {
		if got := guard.ETag(tt.Version); got != tt.Tag {
			t.Errorf("the tag of %q is %s, want %s", tt.Version, got, tt.Tag)
		}
		r := httptest.NewRequest(http.MethodPut, "/42", nil)
		r.Header.Set(contract.Header, tt.Tag)
		if got, err := guard.SeenVersion(r); err != nil || got != tt.Version {
			t.Errorf("the version in %s is %q, %v", tt.Tag, got, err)
		}
		form := httptest.NewRequest(http.MethodPost, "/42", strings.NewReader(url.Values{contract.Field: {tt.Version}}.Encode()))
		form.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if got, err := guard.SeenVersion(form); err != nil || got != tt.Version {
			t.Errorf("the version in a form is %q, %v", got, err)
		}
		h := http.Header{}
		if guard.SetVersion(h, tt.Version); h.Get(contract.Answer) != tt.Tag {
			t.Errorf("an answer has %v", h)
		}
	}
	for _, tt := range contract.Read {
		r := httptest.NewRequest(http.MethodPut, "/42", nil)
		r.Header.Set(contract.Header, tt.Header)
		if got, err := guard.SeenVersion(r); got != tt.Version || (err == nil) != (tt.Version != "") {
			t.Errorf("%s: %q, %v", tt.Name, got, err)
		}
	}
}

func TestMatchVersion(t *testing.T) {
	current, seen := "7", ""
	h := guard.MatchVersion(func(*http.Request) (string, error) {
		if current == "broken" {
			return "", errors.New("a secret of the database")
		}
		return current, nil
	})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen, _ = guard.Seen(r.Context())
		guard.SetVersion(w.Header(), "8")
	}))
	for _, tt := range []struct {
		name, current, tag string
		status             int
		body               string
	}{
		{"lets the version through that is there", "7", `"7"`, 200, ""},
		{"tells of another one", "8", `"7"`, 412, `"code":"changed","seen":"7","current":"8"`},
		{"tells of a record that is gone", "", `"7"`, 412, `"code":"changed","seen":"7","current":null`},
		{"wants a version", "7", "", 428, `"code":"invalid","field":"If-Match"`},
		{"wants one", "7", "*", 400, `"code":"invalid"`},
		{"tells nothing of what failed", "broken", `"7"`, 500, `"code":"internal"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			current, seen = tt.current, ""
			r := httptest.NewRequest(http.MethodPut, "/42", nil)
			if tt.tag != "" {
				r.Header.Set("If-Match", tt.tag)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.body) || strings.Contains(w.Body.String(), "secret") {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if tt.status == http.StatusOK && (seen != "7" || w.Header().Get("ETag") != `"8"`) {
				t.Errorf("the handler saw %q, the answer has %v", seen, w.Header())
			}
			if tt.status != http.StatusOK && (seen != "" || w.Header().Get("Content-Type") != "application/problem+json") {
				t.Errorf("the handler saw %q, the answer has %v", seen, w.Header())
			}
		})
	}
}

func TestRefuse_NamesTheMutexOfWhatChangedAndOfWhatIsLost(t *testing.T) {
	for _, tt := range []struct {
		err    error
		status int
		code   string
	}{
		{&guard.ChangedError{ID: report, Seen: "1", Current: "2"}, 412, "changed"},
		{&editlock.LostError{ID: report}, 409, "lost"},
	} {
		w := httptest.NewRecorder()
		guard.Refuse(w, tt.err)
		var p struct {
			Type, Title, Code string
			Mutex             *struct{ ID string }
			Holder            any
		}
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
			t.Fatal(err)
		}
		if w.Code != tt.status || p.Code != tt.code || p.Type != "urn:editlock:problem:"+tt.code || p.Title == "" ||
			p.Mutex == nil || p.Mutex.ID != report.ID || p.Holder != nil {
			t.Errorf("%v: %d %s", tt.err, w.Code, w.Body)
		}
	}
}

// The numbers of saves are read as testdata/guard/versions.json says; the Django guard is
// held to the same file.
func TestSaveNumber(t *testing.T) {
	var contract struct {
		Saves []struct {
			Text   string
			Number int64
		}
		Bad []string `json:"bad_saves"`
	}
	data, err := os.ReadFile("../testdata/guard/versions.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &contract); err != nil {
		t.Fatal(err)
	}
	inHeader := func(text string) *http.Request {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header.Set(guard.SaveHeader, text)
		return r
	}
	inForm := func(text string) *http.Request {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(url.Values{guard.SaveField: {text}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return r
	}
	for field, request := range map[string]func(string) *http.Request{guard.SaveHeader: inHeader, guard.SaveField: inForm} {
		for _, tt := range contract.Saves {
			if got, err := guard.SaveNumber(request(tt.Text)); err != nil || got != tt.Number {
				t.Errorf("%s: %q: %d, %v, want %d", field, tt.Text, got, err, tt.Number)
			}
		}
		for _, text := range contract.Bad {
			got, err := guard.SaveNumber(request(text))
			bad := (*editlock.InvalidError)(nil)
			if !errors.As(err, &bad) || bad.Field != field {
				t.Errorf("%s: %q: %d, %v, want ErrInvalid of the field", field, text, got, err)
			}
		}
	}
}
