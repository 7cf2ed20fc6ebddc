package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// upper is a work: it writes its input in capitals. Text with "bad" in it is
// bad input, text with "bug" panics.
func upper(calls *atomic.Int64) Work {
	return Work{Name: "upper/1", Do: func(ctx context.Context, row Row, out *Outputs) (any, error) {
		calls.Add(1)
		b, err := os.ReadFile(row.Inputs[0])
		if err != nil {
			return nil, err
		}
		switch {
		case strings.Contains(string(b), "bad"):
			return nil, &Refusal{"the text is bad", "write a better one"}
		case strings.Contains(string(b), "bug"):
			panic("a bug in somebody's reader")
		}
		err = out.Write("texts/"+row.Key+".txt", func(w io.Writer) error {
			_, err := io.WriteString(w, strings.ToUpper(string(b)))
			return err
		})
		return len(b), err
	}}
}

// folderOf writes n inputs, of which each tenth is bad, and lists them.
func folderOf(t *testing.T, n int) []Row {
	t.Helper()
	dir := t.TempDir()
	var rows []Row
	for k := range n {
		text := fmt.Sprintf("text number %d", k)
		if k%10 == 7 {
			text = "bad " + text
		}
		path := filepath.Join(dir, fmt.Sprintf("in%03d.txt", k))
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, Row{Key: fmt.Sprintf("k%03d", k), Inputs: []string{path}})
	}
	return rows
}

func folders(t *testing.T) Folders {
	dir := t.TempDir()
	return Folders{Out: filepath.Join(dir, "out"), State: filepath.Join(dir, "state")}
}

// content is every file below a folder by its path.
func content(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		files[rel] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestAllRowsAreDoneOnceAndBadOnesAreNamed(t *testing.T) {
	rows, f := folderOf(t, 100), folders(t)
	var calls atomic.Int64
	c, err := Run(t.Context(), slices.Values(rows), Options{Folders: f}, upper(&calls))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Counters{Rows: 100, Computed: 100, Refused: 10}, c); diff != "" {
		t.Error(diff)
	}
	letters, err := f.DeadLetters()
	if err != nil || len(letters) != 10 || letters[0].File != rows[7].Inputs[0] || letters[0].Remedy == "" {
		t.Errorf("%v, dead letters %v", err, letters)
	}
	if files := content(t, f.Out); len(files) != 90 || files["texts/k003.txt"] != "TEXT NUMBER 3" {
		t.Errorf("%d outputs", len(files))
	}

	again, err := Run(t.Context(), slices.Values(rows), Options{Folders: f}, upper(&calls))
	if err != nil || again.Skipped != 100 || calls.Load() != 100 {
		t.Errorf("%v: a second run did %d of %+v again", err, calls.Load()-100, again)
	}
}

// Whatever is damaged or changed is done again, and nothing else.
func TestOnlyWhatChangedIsDoneAgain(t *testing.T) {
	rows, f := folderOf(t, 20), folders(t)
	var calls atomic.Int64
	if _, err := Run(t.Context(), slices.Values(rows), Options{Folders: f}, upper(&calls)); err != nil {
		t.Fatal(err)
	}
	before := content(t, f.Out)
	if err := errors.Join(
		os.WriteFile(filepath.Join(f.Out, "texts", "k001.txt"), []byte("damaged"), 0o644),
		os.Remove(filepath.Join(f.Out, "texts", "k002.txt")),
		os.WriteFile(f.record("k003"), []byte("{half a rec"), 0o600),
		os.WriteFile(rows[7].Inputs[0], []byte("mended"), 0o644),
		os.WriteFile(rows[8].Inputs[0], []byte("now bad"), 0o644)); err != nil {
		t.Fatal(err)
	}
	rows[4].Args = map[string]string{"scale": "70"}
	calls.Store(0)
	c, err := Run(t.Context(), slices.Values(rows), Options{Folders: f}, upper(&calls))
	if err != nil || calls.Load() != 6 || c.Computed != 6 || c.Refused != 2 {
		t.Errorf("%v: %d rows done again, %+v", err, calls.Load(), c)
	}
	after := content(t, f.Out)
	if after["texts/k007.txt"] != "MENDED" {
		t.Error("the mended row is not there")
	}
	if _, there := after["texts/k008.txt"]; there {
		t.Error("a row that became bad left its old output")
	}
	delete(after, "texts/k007.txt")
	delete(before, "texts/k008.txt")
	if diff := cmp.Diff(before, after); diff != "" {
		t.Error(diff)
	}
}

// Stopped at any row and started again, a run ends with the same bytes.
func TestAStoppedRunGoesOn(t *testing.T) {
	rows, whole, stopped := folderOf(t, 60), folders(t), folders(t)
	var calls atomic.Int64
	if _, err := Run(t.Context(), slices.Values(rows), Options{Folders: whole}, upper(&calls)); err != nil {
		t.Fatal(err)
	}
	slices.Reverse(rows) // order does not matter either
	calls.Store(0)
	for stop := 5; stop < 60; stop += 25 {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := Run(ctx, slices.Values(rows), Options{Folders: stopped, Done: func(_ Record, c Counters) {
			if c.Rows == stop {
				cancel()
			}
		}}, upper(&calls))
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("a stopped run returns %v", err)
		}
	}
	if _, err := Run(t.Context(), slices.Values(rows), Options{Folders: stopped}, upper(&calls)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(content(t, whole.Out), content(t, stopped.Out)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(content(t, whole.State), content(t, stopped.State)); diff != "" {
		t.Error(diff)
	}
	if n := calls.Load(); n > 60+2*64 || n < 60 {
		t.Errorf("%d calls for 60 rows", n)
	}
}

func TestNoMoreRowsInFlightThanWorkers(t *testing.T) {
	rows, f := folderOf(t, 40), folders(t)
	var flying, most atomic.Int64
	work := Work{Name: "wait/1", Do: func(context.Context, Row, *Outputs) (any, error) {
		most.Store(max(most.Load(), flying.Add(1)))
		time.Sleep(time.Millisecond)
		flying.Add(-1)
		return nil, nil
	}}
	if _, err := Run(t.Context(), slices.Values(rows), Options{Folders: f, Workers: 3}, work); err != nil {
		t.Fatal(err)
	}
	if most.Load() > 3 {
		t.Errorf("%d rows at once, 3 workers", most.Load())
	}
}

func TestFaultsAndBadInputAreToldApart(t *testing.T) {
	dir := t.TempDir()
	text := func(name, s string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(s), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	var calls atomic.Int64
	for _, c := range []struct {
		name, says string
		row        Row
		fault      bool
	}{
		{"a panic is the file's dead letter", "bug in somebody's reader", Row{Key: "a", Inputs: []string{text("bug.txt", "bug")}}, false},
		{"so is a missing file", "no such file", Row{Key: "b", Inputs: []string{filepath.Join(dir, "none.txt")}}, false},
		{"a key that leaves the folder is a fault", "../x", Row{Key: "../x"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := folders(t)
			r, _, err := Do(t.Context(), c.row, f, upper(&calls))
			if c.fault {
				if err == nil || !strings.Contains(err.Error(), c.says) {
					t.Errorf("error %v", err)
				}
				return
			}
			if err != nil || r.Refused == nil || !strings.Contains(r.Refused.Reason, c.says) || r.Refused.Remedy == "" {
				t.Errorf("error %v, refusal %+v", err, r.Refused)
			}
		})
	}
	f := folders(t)
	full := Work{Name: "full/1", Do: func(context.Context, Row, *Outputs) (any, error) { return nil, errors.New("no space left") }}
	if _, err := Run(t.Context(), slices.Values(folderOf(t, 3)), Options{Folders: f}, full); err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("a fault of the machine ends the run with %v", err)
	}
	out := &Outputs{out: f.Out, temp: t.TempDir()}
	if err := out.Write("../outside", func(io.Writer) error { return nil }); err == nil {
		t.Error("an output left its folder")
	}
}

func TestASecondRunOnTheSameStateIsRefused(t *testing.T) {
	rows, f := folderOf(t, 1), folders(t)
	work := Work{Name: "outer/1", Do: func(ctx context.Context, row Row, _ *Outputs) (any, error) {
		_, err := Run(ctx, slices.Values(rows), Options{Folders: f}, upper(new(atomic.Int64)))
		if err == nil || !strings.Contains(err.Error(), "in use") {
			t.Errorf("a second run says %v", err)
		}
		return nil, nil
	}}
	if _, err := Run(t.Context(), slices.Values(rows), Options{Folders: f}, work); err != nil {
		t.Fatal(err)
	}
}
