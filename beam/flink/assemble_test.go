package flink

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOnlyJarsAreTakenFromThePackage(t *testing.T) {
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	files := tar.NewWriter(zip)
	for name, content := range map[string]string{"p-1/deps/lib/a.jar": "jar", "p-1/deps/lib/../../evil.jar": "no", "p-1/setup.py": "no", "p-1/deps/bin/flink": "no"} {
		if err := files.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}); err != nil {
			t.Fatal(err)
		}
		if _, err := files.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(files.Close(), zip.Close()); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "lib")
	if err := unpackJars(&b, dir); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 || entries[0].Name() != "a.jar" {
		t.Errorf("%v, %v", entries, err)
	}
	const want = "67e57c7f445fe1e4b1e29c9a4f41141444158b4b7b54247348818637719e93ef" // of `sha256sum *.jar | sha256sum`
	if sum, err := hashJars(dir); err != nil || sum != want {
		t.Errorf("%s, %v", sum, err)
	}
}

func TestOldJavasAreToldFromNewOnes(t *testing.T) {
	for text, want := range map[string]int{
		`openjdk version "17.0.15" 2025-04-15`: 17, `openjdk version "21" 2023-09-19`: 21, `java version "1.8.0_402"`: 8, "zsh: not found": 0,
	} {
		if got, ok := javaVersion(text); got != want || ok != (want > 0) {
			t.Errorf("%q is Java %d", text, got)
		}
	}
}

// What a cluster is told: all of Flink on the loopback interface, a folder and
// a name for each process.
func TestTheConfigurationBindsToLoopback(t *testing.T) {
	p := ports{Job: 1, Artifact: 2, REST: 3, RPC: 4, Blob: 5, Expansion: 6}
	for line := range strings.Lines(configuration(p, 2)) {
		if key, value, _ := strings.Cut(strings.TrimSpace(line), ": "); strings.Contains(key, "host") || strings.HasSuffix(key, "address") {
			if value != "127.0.0.1" {
				t.Errorf("%s is %s", key, value)
			}
		}
	}
	all := commands("home", "dir", p, 2)
	if len(all) != 4 || all["taskmanager1"] == nil || all["taskmanager2"] == nil {
		t.Errorf("processes %v", all)
	}
}
