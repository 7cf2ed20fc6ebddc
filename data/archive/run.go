package archive

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"sort"
	"strings"
	"sync"

	"github.com/gofrs/flock"
	"github.com/google/renameio/v2"
	"golang.org/x/sync/errgroup"
)

// Counters add up: Rows = Computed + Skipped, and Refused is a part of both.
type Counters struct {
	Rows     int // finished in this run, one way or the other
	Computed int // worked on in this run
	Skipped  int // found done by an earlier one
	Refused  int // dead letters
}

// Options of a run on this machine.
type Options struct {
	Folders
	Workers int                    // rows in flight at most; 0: one a core
	Done    func(Record, Counters) // called after each row, one call at a time; nil: nothing
}

// Run does every row on this machine's cores. It stops promptly when ctx ends
// or a row fails for a reason that is not its input's; the next Run goes on
// from there. A second process on the same State is refused.
func Run(ctx context.Context, rows iter.Seq[Row], opt Options, work Work) (Counters, error) {
	release, err := opt.Hold()
	if err != nil {
		return Counters{}, fmt.Errorf("%s: %w", work.Name, err)
	}
	defer release()
	if err := opt.Clear(); err != nil {
		return Counters{}, fmt.Errorf("%s: %w", work.Name, err)
	}
	c, err := Each(ctx, rows, opt, work)
	return c, errors.Join(err, opt.Clear())
}

// Each is Run without its claim on State: for an engine that gives each of many
// processes a part of the rows, while the one that started them Holds State.
func Each(ctx context.Context, rows iter.Seq[Row], opt Options, work Work) (Counters, error) {
	workers := opt.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	group, working := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	var c Counters
	var mu sync.Mutex
	for row := range rows {
		if working.Err() != nil {
			break
		}
		group.Go(func() error {
			r, computed, err := Do(working, row, opt.Folders, work)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			c.count(r, computed)
			if opt.Done != nil {
				opt.Done(r, c)
			}
			return nil
		})
	}
	err := group.Wait()
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return c, err
}

// Hold makes the folders and keeps State for this process until release is
// called or the process ends.
func (f Folders) Hold() (release func(), err error) {
	if err := os.MkdirAll(f.Out, 0o755); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(f.State, 0o700); err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(f.State, ".lock"), flock.SetPermissions(0o600))
	if ok, err := lock.TryLock(); err != nil || !ok {
		return nil, errors.Join(fmt.Errorf("%s is in use by another process; wait for it or choose another folder", f.State), err)
	}
	return func() { _ = lock.Unlock() }, nil
}

// Clear removes what killed runs left unfinished; nobody may be at work.
func (f Folders) Clear() error { return os.RemoveAll(f.temp()) }

func (c *Counters) count(r Record, computed bool) {
	c.Rows++
	if computed {
		c.Computed++
	} else {
		c.Skipped++
	}
	if r.Refused != nil {
		c.Refused++
	}
}

// Records goes through everything remembered under State, in the order of the
// keys, one record in memory at a time.
func (f Folders) Records() iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		entries, err := os.ReadDir(f.records()) // sorted by name
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			yield(Record{}, err)
			return
		}
		for _, e := range entries {
			if !strings.HasSuffix(e.Name(), ".json") {
				continue
			}
			if r, err := readRecord(filepath.Join(f.records(), e.Name())); !yield(r, err) {
				return
			}
		}
	}
}

// DeadLetter is one line of dead_letters.csv.
type DeadLetter struct{ File, Reason, Remedy string }

// DeadLetters lists the refused rows by file name.
func (f Folders) DeadLetters() ([]DeadLetter, error) {
	var out []DeadLetter
	for r, err := range f.Records() {
		if err != nil {
			return nil, fmt.Errorf("dead letters: %w", err)
		}
		if r.Refused != nil {
			out = append(out, DeadLetter{r.Row.Name(), r.Refused.Reason, r.Refused.Remedy})
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].File < out[j].File })
	return out, nil
}

// WriteDeadLetters stores them as dead_letters.csv under State: file, reason,
// remedy.
func (f Folders) WriteDeadLetters(letters []DeadLetter) (path string, err error) {
	path = filepath.Join(f.State, "dead_letters.csv")
	file, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o600))
	if err != nil {
		return path, fmt.Errorf("dead letters: %w", err)
	}
	defer file.Cleanup()
	if err := encodeDeadLetters(file, letters); err != nil {
		return path, fmt.Errorf("dead letters: %w", err)
	}
	if err := file.CloseAtomicallyReplace(); err != nil {
		return path, fmt.Errorf("dead letters: %w", err)
	}
	return path, nil
}

func encodeDeadLetters(w io.Writer, letters []DeadLetter) error {
	table := csv.NewWriter(w)
	if err := table.Write([]string{"file", "reason", "remedy"}); err != nil {
		return err
	}
	for _, l := range letters {
		if err := table.Write([]string{l.File, l.Reason, l.Remedy}); err != nil {
			return err
		}
	}
	table.Flush()
	return table.Error()
}
