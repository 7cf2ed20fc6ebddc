package compiler

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func newStore(t *testing.T, limit int64) *store {
	t.Helper()
	s, err := openStore(filepath.Join(t.TempDir(), "compiled"), limit, &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func keyOf(name string) key { return sha256.Sum256([]byte(name)) }

func mustPut(t *testing.T, s *store, k key, program string) {
	t.Helper()
	if err := s.put(k, []byte(program)); err != nil {
		t.Fatal(err)
	}
}

func TestAStoredProgramIsFoundUnderItsKeyOnly(t *testing.T) {
	s := newStore(t, 1<<20)
	mustPut(t, s, keyOf("a"), "machine code")
	mustPut(t, s, keyOf("empty"), "")
	if got, found := s.get(keyOf("a")); !found || string(got) != "machine code" {
		t.Errorf("%q, %v", got, found)
	}
	if got, found := s.get(keyOf("empty")); !found || len(got) != 0 {
		t.Errorf("empty: %q, %v", got, found)
	}
	if _, found := s.get(keyOf("b")); found {
		t.Error("found what was never stored")
	}
	if err := os.Rename(s.path(keyOf("a")), s.path(keyOf("b"))); err != nil {
		t.Fatal(err)
	}
	if _, found := s.get(keyOf("b")); found {
		t.Error("a file of another key was taken")
	}
}

func TestOnlyTheUserCanReadWhatIsStored(t *testing.T) {
	s := newStore(t, 1<<20)
	mustPut(t, s, keyOf("a"), "machine code")
	for path, want := range map[string]os.FileMode{s.dir: 0o700, s.path(keyOf("a")): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
}

func TestAFolderThatOthersCanWriteIsRefused(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := openStore(dir, 1, nil); err == nil || !strings.Contains(err.Error(), "others can write") {
		t.Error(err)
	}
}

// Whatever happens to a file's bytes, the program is not found, the file is gone, and storing anew mends it.
func TestDamageAnywhereInAFileIsNoticed(t *testing.T) {
	s := newStore(t, 1<<20)
	k, program := keyOf("a"), strings.Repeat("machine code ", 20)
	mustPut(t, s, k, program)
	whole, err := os.ReadFile(s.path(k))
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		damaged := bytes.Clone(whole)
		at := rapid.IntRange(0, len(whole)-1).Draw(t, "byte")
		switch rapid.SampledFrom([]string{"flip", "truncate", "append"}).Draw(t, "damage") {
		case "flip":
			damaged[at] ^= byte(1 << rapid.IntRange(0, 7).Draw(t, "bit"))
		case "truncate":
			damaged = damaged[:at]
		case "append":
			damaged = append(damaged, whole[:at+1]...)
		}
		if err := os.WriteFile(s.path(k), damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, found := s.get(k); found {
			t.Fatal("damaged bytes were taken for a program")
		}
		if _, err := os.Stat(s.path(k)); !os.IsNotExist(err) {
			t.Fatalf("the damaged file is still there: %v", err)
		}
		if err := s.put(k, []byte(program)); err != nil {
			t.Fatal(err)
		}
		if got, found := s.get(k); !found || string(got) != program {
			t.Fatal("not mended")
		}
	})
}

func TestWhatWasLongestUnusedIsEvicted(t *testing.T) {
	program := strings.Repeat("x", 1000)
	s := newStore(t, 3*int64(bytesAt+len(program)))
	for i, name := range []string{"a", "b", "c"} {
		mustPut(t, s, keyOf(name), program)
		used := time.Now().Add(time.Duration(i-10) * time.Hour)
		if err := os.Chtimes(s.path(keyOf(name)), used, used); err != nil {
			t.Fatal(err)
		}
	}
	if _, found := s.get(keyOf("a")); !found { // now b is the oldest
		t.Fatal("a is lost")
	}
	mustPut(t, s, keyOf("d"), program)
	for name, want := range map[string]bool{"a": true, "b": false, "c": true, "d": true} {
		if _, found := s.get(keyOf(name)); found != want {
			t.Errorf("%s: found %v", name, found)
		}
	}
	mustPut(t, s, keyOf("huge"), strings.Repeat("x", 10_000))
	if stats, err := s.stats(); err != nil || stats.Programs != 3 || stats.Bytes > stats.LimitBytes {
		t.Errorf("after one that is larger than the limit: %+v, %v", stats, err)
	}
}

func TestEvictionClearsWhatDeadProcessesLeft(t *testing.T) {
	s := newStore(t, 1<<20)
	dead, alive, foreign := filepath.Join(s.dir, partPrefix+"1"), filepath.Join(s.dir, partPrefix+"2"), filepath.Join(s.dir, "notes.txt")
	for _, path := range []string{dead, alive, foreign} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	long := time.Now().Add(-2 * partStale)
	for _, path := range []string{dead, foreign} {
		if err := os.Chtimes(path, long, long); err != nil {
			t.Fatal(err)
		}
	}
	mustPut(t, s, keyOf("a"), "code")
	for path, want := range map[string]bool{dead: false, alive: true, foreign: true} {
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestManyWritersAndReadersNeverSeeHalfAProgram(t *testing.T) {
	s := newStore(t, 1<<20)
	k := keyOf("shared")
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for j := range 50 {
				if got, found := s.get(k); found && len(bytes.Trim(got, string(got[:1]))) != 0 {
					t.Errorf("a mixture: %.40q", got)
				}
				if err := s.put(k, bytes.Repeat([]byte{byte('a' + i)}, 1000+100*i+j)); err != nil {
					t.Error(err)
				}
				s.count(hits)
			}
		})
	}
	group.Wait()
	if stats, err := s.stats(); err != nil || stats.Programs != 1 || stats.Hits != 400 {
		t.Errorf("%+v, %v", stats, err)
	}
}

func TestClearForgetsProgramsAndCountsAndNothingElse(t *testing.T) {
	t.Setenv("SSWE_CACHE", t.TempDir())
	t.Setenv(EnvCache, "2 MB")
	if stats, err := Inspect(); err != nil || stats.Programs != 0 {
		t.Fatalf("before there is a folder: %+v, %v", stats, err)
	}
	where, err := settings()
	if err != nil {
		t.Fatal(err)
	}
	s, err := openStore(where.dir, where.limit, nil)
	if err != nil {
		t.Fatal(err)
	}
	mustPut(t, s, keyOf("a"), "code")
	s.count(hits)
	s.count(misses)
	foreign := filepath.Join(s.dir, "notes.txt")
	if err := os.WriteFile(foreign, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	stats, err := Inspect()
	if want := fmt.Sprintf("1 compiled programs, %d B of 1.9 MiB in %s; found 1 times, compiled 1 times", bytesAt+4, s.dir); err != nil || stats.String() != want {
		t.Errorf("%s, want %s, %v", stats, want, err)
	}
	if before, err := Clear(); err != nil || before.Programs != 1 {
		t.Errorf("%+v, %v", before, err)
	}
	if stats, err := Inspect(); err != nil || stats.Programs+int(stats.Hits+stats.Misses) != 0 {
		t.Errorf("after: %+v, %v", stats, err)
	}
	if _, err := os.Stat(foreign); err != nil {
		t.Error(err)
	}
}

func TestTheSettingIsASizeOrOff(t *testing.T) {
	t.Setenv("SSWE_CACHE", t.TempDir())
	for value, want := range map[string]place{"": {limit: 1 << 30}, "500 MB": {limit: 500e6}, "1GiB": {limit: 1 << 30}, "off": {limit: 1 << 30, off: true}, "OFF": {limit: 1 << 30, off: true}} {
		t.Setenv(EnvCache, value)
		if got, err := settings(); err != nil || got.limit != want.limit || got.off != want.off {
			t.Errorf("%q: %+v, %v", value, got, err)
		}
	}
	t.Setenv(EnvCache, "lots")
	if _, err := settings(); err == nil || !strings.Contains(err.Error(), `SSWE_COMPILE_CACHE="lots"`) {
		t.Error(err)
	}
}
