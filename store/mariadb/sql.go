package mariadb

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/editlock/editlock/store/kv"
)

// script is a sequence of statements that goes to the server as one packet.
// Values are written as numbers and hexadecimal literals only.
type script struct{ strings.Builder }

func (s *script) add(parts ...string) {
	for _, p := range parts {
		s.WriteString(p)
	}
}

// bin is a literal of bytes.
func bin[T string | []byte](v T) string { return "x'" + hex.EncodeToString([]byte(v)) + "'" }

func num[T int | int64 | uint64](n T) string {
	if n < 0 {
		return strconv.FormatInt(int64(n), 10)
	}
	return strconv.FormatUint(uint64(n), 10)
}

// hash is a literal of the hash by which long texts are found and compared.
func hash(text string) string {
	if text == "" {
		return "NULL"
	}
	sum := sha256.Sum256([]byte(text))
	return bin(sum[:])
}

func micros(d time.Duration) int64 { return d.Microseconds() }

// never is the due time of what lives forever.
const never = "9223372036854775807"

// serverClock sets @n, which is the time in every script, in microseconds since
// 1970.
func serverClock() string { return "SET @n=TIMESTAMPDIFF(MICROSECOND,'1970-01-01',UTC_TIMESTAMP(6));" }

// leased holds of a row r whose lease, if it has one, is live.
const leased = "(r.lease IS NULL OR EXISTS(SELECT 1 FROM editlock_row l WHERE l.k=r.lease AND l.due>@n))"

// under is the condition of keys that begin with prefix and come after one.
func under(column, prefix, after string) string {
	cond := column + ">=" + bin(prefix)
	if after >= prefix && after != "" {
		cond = column + ">" + bin(after)
	}
	if end := successor(prefix); end != "" {
		cond += " AND " + column + "<" + bin(end)
	}
	return cond
}

// successor is the first key behind those that begin with prefix; empty: none.
func successor(prefix string) string {
	b := []byte(prefix)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] < 0xff {
			b[i]++
			return string(b[:i+1])
		}
	}
	return ""
}

// condition is a condition as an expression.
func condition(c *kv.Cond) string {
	switch {
	case c.Key != "":
	case c.NoneDue:
		r := kv.Range{Prefix: c.Prefix, Overdue: true}
		return "NOT EXISTS(SELECT 1 FROM editlock_row r" + indexOf(&r) + " WHERE " + under("r.k", c.Prefix, "") + " AND r.due<=@n AND " + leased + ")"
	default:
		index := ""
		if c.Tag == "" {
			index = force("PRIMARY")
		}
		rows := "SELECT 1 FROM editlock_row r" + index + " WHERE " + under("r.k", c.Prefix, "") + " AND " + leased
		if !c.Due {
			rows += " AND r.due>@n"
		}
		if c.Tag != "" {
			rows += " AND (r.h1=" + hash(c.Tag) + " OR r.h2=" + hash(c.Tag) + ")"
		}
		return "(SELECT COUNT(*) FROM (" + rows + " LIMIT " + num(c.AtMost+1) + ") c)<=" + num(c.AtMost)
	}
	row := "EXISTS(SELECT 1 FROM editlock_row r WHERE r.k=" + bin(c.Key) + " AND " + leased
	if c.Absent {
		return "NOT " + row + ")"
	}
	if c.Dead {
		row += " AND r.due<=@n"
	} else {
		row += " AND r.due>@n"
	}
	if c.Rev != 0 {
		row += " AND r.rev=" + num(c.Rev)
	}
	if c.Ver != 0 {
		row += " AND r.ver=" + num(c.Ver)
	}
	if c.Tag != "" {
		row += " AND (r.h1=" + hash(c.Tag) + " OR r.h2=" + hash(c.Tag) + ")"
	}
	if c.Lease != "" {
		row += " AND r.lease=" + bin(c.Lease)
	}
	if c.Data != nil {
		row += " AND r.d=" + bin(*c.Data)
	}
	return row + ")"
}

const columns = "r.k,r.v,r.d,r.t1,r.t2,r.lease,r.rev,r.ver,r.at,r.seen,r.due,r.ttl,r.mx"

// selectRange is the statement that reads a range.
func selectRange(q *kv.Range) string {
	cols := columns
	if q.Brief {
		cols = strings.Replace(cols, "r.v", "x''", 1)
	}
	count := ",0"
	if q.Count {
		count = "," + countRange(q)
	}
	limit := ""
	if q.Limit > 0 {
		limit = " LIMIT " + num(q.Limit)
	}
	alive := " AND r.due>@n AND " + leased
	switch {
	case q.Overdue:
		alive = " AND r.due<=@n AND " + leased
	case q.Either:
		alive = " AND " + leased
	}
	by := func(index string) string {
		return "SELECT " + cols + count + " FROM editlock_row r" + force(index) + " WHERE "
	}
	switch {
	case q.Key != "":
		return by("PRIMARY") + "r.k=" + bin(q.Key) + " AND " + leased + ";"
	case q.Due:
		return by("due") + "r.due<" + never + " AND " + leased + " ORDER BY r.due,r.k" + limit + ";"
	case q.Lease != "":
		return by("lease") + "r.lease=" + bin(q.Lease) + " AND " + under("r.k", q.Prefix, q.After) + alive + " ORDER BY r.k" + limit + ";"
	case q.Tag != "":
		half := func(column string) string {
			return "(" + by(column) + "r." + column + "=" + hash(q.Tag) + " AND " + under("r.k", q.Prefix, q.After) + alive + " ORDER BY r.k" + limit + ")"
		}
		return half("h1") + " UNION ALL " + half("h2") + " ORDER BY k" + limit + ";"
	}
	return "SELECT " + cols + count + " FROM editlock_row r" + indexOf(q) + " WHERE " + under("r.k", q.Prefix, q.After) + alive +
		" ORDER BY r.k" + limit + ";"
}

// force has rows read by an index. Each range has one that suits it. Left to itself
// the server may take another, and read all rows in the order asked for.
func force(index string) string { return " FORCE INDEX (" + index + ")" }

// indexOf is the index by which a range of keys is read. Under a prefix that is no
// group there may be many, of which few are overdue.
func indexOf(q *kv.Range) string {
	if q.Overdue && !kv.IsGroup(q.Prefix) {
		return force("due")
	}
	return force("PRIMARY")
}

// countRange is an expression that counts the rows in a range beyond its limit.
func countRange(q *kv.Range) string {
	keys := under("r.k", q.Prefix, q.After)
	count := func(index, where string) string {
		return "(SELECT COUNT(*) FROM editlock_row r" + force(index) + " WHERE " + where + " AND " + keys + ")"
	}
	switch {
	case q.Tag != "" && q.Lease == "" && q.Limit > 0:
		live := " AND r.due>@n AND " + leased
		if q.Overdue {
			live = " AND r.due<=@n AND " + leased
		}
		return count("h1", "r.h1="+hash(q.Tag)+live) + "+" + count("h2", "r.h2="+hash(q.Tag)+live)
	case q.Key == "" && q.Lease == "" && q.Tag == "" && !q.Due && !q.Overdue && q.Limit > 0 && !kv.IsGroup(q.Prefix):
		// Of most rows no more than the key is read.
		return count("PRIMARY", "TRUE") + "-" + count("due", "r.due<=@n") + "-" + count("lease", "r.lease IS NOT NULL AND r.due>@n AND NOT "+leased)
	}
	return "COUNT(*) OVER ()"
}
