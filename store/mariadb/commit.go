package mariadb

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/editlock/editlock/store/kv"
)

// Limits implements kv.Engine. Writers take turns on one row, so one call at a
// time is enough, and shares its commit among many.
func (e *engine) Limits() kv.Limits { return kv.Limits{Txns: 64, Bytes: 1 << 20, Calls: 1} }

// maxTags is how many tags a row may have: the columns t1 and t2.
const maxTags = 2

// Commit implements kv.Engine. A batch is one packet: each transaction's
// conditions become @o, its writes happen WHERE @o, its ranges are read. The
// lock on editlock_meta makes batches take turns, in all processes. @g tells of
// a guard.
func (e *engine) Commit(ctx context.Context, txns []kv.Txn) ([]kv.Answer, error) {
	var s script
	s.add("SET @l=NULL,@c=NULL;SET TRANSACTION ISOLATION LEVEL READ COMMITTED;START TRANSACTION;", // a missing row must not leave what was before
		"SELECT last,entries INTO @l,@c FROM editlock_meta WHERE id=1 FOR UPDATE;", e.clock())
	for i := range txns {
		if err := e.transaction(&s, &txns[i]); err != nil {
			return nil, err
		}
	}
	s.add("UPDATE editlock_meta SET last=@l,entries=@c,at=@n WHERE id=1;COMMIT;")
	answers := make([]kv.Answer, len(txns))
	err := e.send(ctx, s.String(), func(rows *sql.Rows) error {
		for i := range txns {
			if err := readAnswer(rows, &txns[i], &answers[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		e.newSender() // if it was committed, its notes are found as those of others are
		return nil, err
	}
	e.tell(txns, answers)
	return answers, nil
}

// transaction writes the statements of one.
func (e *engine) transaction(s *script, t *kv.Txn) error {
	s.add("SET @r=")
	if t.Once == "" {
		s.add("0;")
	} else {
		s.add("EXISTS(SELECT 1 FROM editlock_log WHERE id=", hash(t.Once), " AND at>@n-", num(micros(kv.Window)), ");")
	}
	s.add("SET @o=NOT @r")
	if !t.Since.IsZero() {
		s.add(" AND @n>=", num(t.Since.UnixMicro()))
	}
	for i := range t.If {
		s.add(" AND ", condition(&t.If[i]))
	}
	s.add(";SET @g=0;")
	for i := range t.Then {
		if w := &t.Then[i]; ends(w, t.If) {
			s.add(meetsGuard(w.Key))
		}
	}
	s.add("SET @o=@o AND NOT @g,@f=@l+1;")
	for i := range t.Then {
		if err := write(s, &t.Then[i], t.If); err != nil {
			return err
		}
	}
	for i := range t.Log {
		log(s, &t.Log[i])
	}
	if t.Numbers > 0 {
		s.add("SET @l=@l+IF(@o,", num(t.Numbers), ",0);")
	}
	if len(t.Log) > 0 {
		s.add("SET @c=@c+IF(@o,", num(len(t.Log)), ",0);")
	}
	for _, n := range t.Messages {
		s.add("INSERT INTO editlock_note (at,sender,who,what) SELECT @n,", bin(e.sender()), ",", bin(n.To), ",", bin(n.Text), " FROM DUAL WHERE @o;")
	}
	if len(t.Messages) > 0 {
		s.add("DELETE FROM editlock_note WHERE at<@n-", num(micros(notesLast)), " LIMIT 100;")
	}
	s.add("SELECT @n,@r,@o,@g,@f;")
	for i := range t.Read {
		s.add(selectRange(&t.Read[i]))
	}
	return nil
}

// ends reports whether a write may delete or replace a row.
func ends(w *kv.Write, conds []kv.Cond) bool {
	return !w.Renew && !w.Numbered && !slices.ContainsFunc(conds, func(c kv.Cond) bool { return c.Key == w.Key && c.Absent })
}

// meetsGuard sets @g if the row under key has a guard row, and that is locked.
func meetsGuard(key string) string {
	k := bin(key)
	row := " FROM editlock_guard WHERE rev=@v AND k=" + k
	return "SET @v=(SELECT rev FROM editlock_row WHERE k=" + k + ");SELECT COUNT(*) INTO @u" + row + " FOR UPDATE SKIP LOCKED;" +
		"SET @g=@g OR @o AND @u=0 AND EXISTS(SELECT 1" + row + ");"
}

// write writes the statements of one write.
func write(s *script, w *kv.Write, conds []kv.Cond) error {
	if len(w.Tags) > maxTags {
		return fmt.Errorf("mariadb: a row has %d tags; at most %d are allowed", len(w.Tags), maxTags)
	}
	key := bin(w.Key)
	if w.Renew {
		renew(s, w)
		return nil
	}
	if w.Numbered {
		key = "CONCAT(" + key + ",LPAD(LOWER(HEX(@f+" + num(w.Number-1) + ")),16,'0'))"
	} else if ends(w, conds) {
		s.add("DELETE g FROM editlock_guard g JOIN editlock_row r ON g.rev=r.rev AND g.k=r.k WHERE r.k=", key, " AND @o;",
			"DELETE FROM editlock_row WHERE k=", key, " AND @o;DELETE FROM editlock_row WHERE lease=", key, " AND @o;")
	}
	if w.Delete {
		return nil
	}
	var tags [maxTags]string
	copy(tags[:], w.Tags)
	data, rev, due := "x''", "0", never
	if w.Data != nil {
		data = bin(*w.Data)
	}
	if w.Number > 0 {
		rev = "@f+" + num(w.Number-1)
	}
	for _, d := range []int64{micros(w.TTL), micros(w.Max), micros(w.Within)} {
		if d > 0 {
			due = "LEAST(" + due + ",@n+" + num(d) + ")"
		}
	}
	if w.TTL > 0 && micros(w.TTL) == 0 {
		due = "@n"
	}
	// REPLACE: a row whose lease has ended may be left under an absent key.
	s.add("REPLACE INTO editlock_row (k,v,d,t1,t2,h1,h2,lease,rev,ver,at,seen,due,ttl,mx) SELECT ", key, ",", bin(w.Value), ",", data)
	for _, tag := range tags {
		s.add(",", orNull(tag))
	}
	for _, tag := range tags {
		s.add(",", hash(tag))
	}
	s.add(",", orNull(w.Lease), ",", rev, ",1,@n,@n,", due, ",", num(max(0, micros(w.TTL))), ",", num(max(0, micros(w.Max))), " FROM DUAL WHERE @o")
	if w.Lease != "" {
		s.add(" AND EXISTS(SELECT 1 FROM editlock_row l WHERE l.k=", bin(w.Lease), " AND l.due>@n)")
	}
	s.add(";")
	if w.Number > 0 && !w.Numbered {
		s.add("INSERT INTO editlock_guard (rev,k) SELECT ", rev, ",", key, " FROM DUAL WHERE @o;")
	}
	return nil
}

func orNull(text string) string {
	if text == "" {
		return "NULL"
	}
	return bin(text)
}

// renew writes the statements of a renewal.
func renew(s *script, w *kv.Write) {
	ttl, limit := "ttl", "mx"
	s.add("UPDATE editlock_row SET seen=@n")
	if w.Value != nil {
		s.add(",v=", bin(w.Value), ",ver=ver+1")
	}
	if w.Data != nil {
		s.add(",d=", bin(*w.Data))
	}
	if w.Tags != nil {
		var tags [maxTags]string
		copy(tags[:], w.Tags)
		s.add(",t1=", orNull(tags[0]), ",t2=", orNull(tags[1]), ",h1=", hash(tags[0]), ",h2=", hash(tags[1]))
	}
	if w.Lease != "" {
		s.add(",lease=", bin(w.Lease))
	}
	if w.TTL != 0 {
		ttl = num(max(0, micros(w.TTL)))
		s.add(",ttl=", ttl)
	}
	if w.Max != 0 {
		limit = num(max(0, micros(w.Max)))
		s.add(",mx=", limit)
	}
	s.add(",due=LEAST(IF(", ttl, ">0,@n+", ttl, ",", never, "),IF(", limit, ">0,at+", limit, ",", never, ")")
	if w.Within > 0 {
		s.add(",@n+", num(micros(w.Within)))
	}
	s.add(") WHERE k=", bin(w.Key), " AND @o;")
	if w.Lease != "" {
		s.add("DELETE r FROM editlock_row r LEFT JOIN editlock_row l ON l.k=r.lease AND l.due>@n WHERE r.k=", bin(w.Key), " AND l.k IS NULL AND @o;")
	}
}

// log writes the statements of one log entry.
func log(s *script, in *kv.Entry) {
	number := "@f+" + num(in.Number-1)
	s.add("INSERT INTO editlock_log (n,at,id,v) SELECT ", number, ",@n,", hash(in.ID), ",", bin(in.Value), " FROM DUAL WHERE @o;")
	if len(in.Tags) == 0 {
		return
	}
	s.add("INSERT INTO editlock_tag (h,n) SELECT h,", number, " FROM (SELECT ", hash(in.Tags[0]), " h")
	for _, tag := range in.Tags[1:] {
		s.add(" UNION ALL SELECT ", hash(tag))
	}
	s.add(") t WHERE @o;")
}
