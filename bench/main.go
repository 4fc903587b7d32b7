// Command bench measures editlock beside the raw limit of what it stands on,
// both in the same run, and prints Markdown tables. Use the ratios: absolute
// figures are of the machine and its disk.
//
//	go -C bench run .                  everything, a few minutes
//	go -C bench run . -only durable    one section
//	go -C bench run . -rounds 2        a quick look
//	go -C bench run . -before COMMIT   sections, then this tree beside a commit of editlock
//	go -C bench run . -compare COMMIT  only that
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"
)

// section is one question and the measurement that answers it.
type section struct {
	name  string
	title string
	run   func(ctx context.Context, b *bench) error
}

var sections = []section{
	{"durable", "SQLite, durable: capture + release against bare SQL", durable},
	{"scale", "A thousand and a million mutexes held", scale},
	{"allocs", "Allocations", allocs},
	{"http", "Over HTTP: capture + release against bare JSON", overHTTP},
	{"telemetry", "What metrics cost", telemetryCost},
	{"handoff", "Hand-off and waiting over HTTP", handoff},
	{"joins", "A crowd that begins to wait at once, beside event streams", joins},
	{"beats", "Open tabs", beats},
	{"presence", "Open tabs that tell who looks", presenceCost},
	{"abuse", "Beside clients that misbehave", abused},
	{"history", "With a long history: refused refreshes, and searches", histories},
	{"lists", "With a million held: lists by each filter", lists},
	{"trees", "All of a type, and parts: what they cost where much is held", trees},
	{"limits", "Limits and readers, beside a semaphore on Redis and etcd's recipe", limits},
	{"redis", "On Redis, beside its other locks", onRedis},
	{"postgres", "On PostgreSQL, beside its other locks", onPostgres},
	{"etcd", "On etcd, beside its own lock", onEtcd},
}

// bench is what all sections share.
type bench struct {
	rounds int
	round  time.Duration // of measuring, for each contender
	dir    string        // where database files go

	engines string // separated by commas; for those sections that are of one engine after the other
	large   int    // entries of the larger history
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == childCommand {
		exit(child(os.Args[2]))
	}
	b := &bench{}
	only := flag.String("only", "", "sections to run, separated by commas: "+strings.Join(names(sections, section.called), ", ")+" (default all)")
	flag.IntVar(&b.rounds, "rounds", 5, "rounds; figures are their medians")
	flag.DurationVar(&b.round, "round", time.Second, "how long each contender is measured in each round")
	dir := flag.String("dir", "", "folder for database files; it decides which disk is measured (default the temporary folder)")
	var c comparison
	flag.StringVar(&c.commits, "compare", "", "instead, compare this tree with a commit, or two commits: BASE or BASE..HEAD")
	flag.StringVar(&c.before, "before", "", "after the sections, compare this tree with a commit")
	flag.StringVar(&c.engines, "engines", strings.Join(names(engines, engine.called), ","), "engines for -compare and the sections joins, history and lists, separated by commas")
	flag.IntVar(&b.large, "entries", 1_000_000, "entries of the larger history in the section history, mutexes in the section lists")
	flag.IntVar(&c.held, "held", 1_000_000, "mutexes held in the larger of the stores to compare on")
	flag.Parse()
	b.engines = c.engines
	exit(b.main(*only, *dir, c))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func (b *bench) main(only, dir string, c comparison) error {
	chosen, err := choose(only, sections, section.called)
	if err != nil {
		return fmt.Errorf("-only %w", err)
	}
	if b.rounds < 1 || b.round < 10*time.Millisecond {
		return errors.New("-rounds must be at least 1 and -round at least 10ms")
	}
	if b.dir, err = os.MkdirTemp(dir, "editlock-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if c.commits != "" {
		both, err := b.sides(ctx, c.commits)
		if err != nil {
			return err
		}
		return b.compare(ctx, c, both)
	}
	var both [2]side
	if c.before != "" { // built first: a wrong commit is reported before the sections, which take long
		if both, err = b.sides(ctx, c.before); err != nil {
			return err
		}
	}
	fmt.Printf(`# Benchmarks

Made by "make bench", in one run: %s, %s/%s, %d cores, clients and servers
share them. Medians of %d rounds of %v [least-most]; in each round all
contenders take turns. Ratios are of the rates in the same round; take these to
your machine, not the absolute figures. Libraries: %s.
`, runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), b.rounds, b.round, versions())
	for _, s := range chosen {
		fmt.Printf("\n## %s\n\n", s.title)
		if err := s.run(ctx, b); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	if c.before != "" {
		fmt.Println()
		return b.compare(ctx, c, both)
	}
	return nil
}

// versions names what is compared, as it was built.
func versions() string {
	info, _ := debug.ReadBuildInfo()
	var all []string
	for _, dep := range info.Deps {
		switch dep.Path {
		case "modernc.org/sqlite", "github.com/jackc/pgx/v5", "github.com/redis/rueidis", "github.com/redis/rueidis/rueidislock",
			"github.com/redis/go-redis/v9", "github.com/bsm/redislock", "github.com/go-redsync/redsync/v4", "go.etcd.io/etcd/client/v3":
			all = append(all, dep.Path+" "+dep.Version)
		}
	}
	return strings.Join(all, ", ")
}

func (s section) called() string { return s.name }

// names are what things are called.
func names[T any](all []T, called func(T) string) []string {
	var names []string
	for _, t := range all {
		names = append(names, called(t))
	}
	return names
}

// choose picks things by their names, separated by commas; all without any.
func choose[T any](only string, all []T, called func(T) string) ([]T, error) {
	if only == "" {
		return all, nil
	}
	var chosen []T
	for name := range strings.SplitSeq(only, ",") {
		i := slices.Index(names(all, called), name)
		if i < 0 {
			return nil, fmt.Errorf("%s: there are %s", name, strings.Join(names(all, called), ", "))
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}
