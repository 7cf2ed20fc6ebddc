package dicom

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// day is a DICOM date in days.
func day(t *testing.T, date string) int {
	t.Helper()
	d, err := time.Parse(dateFormat, date)
	if err != nil {
		t.Fatal(err)
	}
	return int(d.Unix() / 86400)
}

// TestAKeyIsMadeOnceAndKeptPrivate: by whoever comes first of many at once.
func TestAKeyIsMadeOnceAndKeptPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys", "pseudonyms.key")
	keys := make([]*Key, 8)
	var wait sync.WaitGroup
	for i := range keys {
		wait.Go(func() {
			k, err := OpenKey(path)
			if err != nil {
				t.Error(err)
			}
			keys[i] = k
		})
	}
	wait.Wait()
	for _, k := range keys {
		if k == nil || k.secret != keys[0].secret || k.secret == [keyBytes]byte{} {
			t.Fatal("the keys differ or are empty")
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the key has mode %o", info.Mode().Perm())
	}
}

func TestADamagedKeyIsNotReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pseudonyms.key")
	if err := os.WriteFile(path, []byte("abc\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenKey(path); err == nil || !strings.Contains(err.Error(), "no pseudonym key") || !strings.Contains(err.Error(), path) {
		t.Error(err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "abc\n" {
		t.Errorf("the file is now %q (%v)", b, err)
	}
}
