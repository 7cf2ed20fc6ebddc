package main

import (
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem/memfs"

	"elastography/beam/storage"
)

// objects is everything stored under a URL, by name, with what names the folder
// itself as "COHORT".
func objects(t *testing.T, url, cohort string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, pattern := range []string{"*", "*/*"} {
		names, err := storage.List(t.Context(), storage.Join(url, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			b, err := storage.Read(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			out[strings.TrimPrefix(name, url+"/")] = strings.ReplaceAll(string(b), cohort, "COHORT")
		}
	}
	return out
}

// changes tells when each record under a URL was last written.
func changes(t *testing.T, private string) map[string]time.Time {
	t.Helper()
	out := map[string]time.Time{}
	names, err := storage.List(t.Context(), storage.Join(private, "records", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if out[name], err = memfs.New(t.Context()).(filesystem.LastModifiedGetter).LastModified(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// An archive of objects becomes a cohort of objects: the files that folders
// would hold, dead letters and all. Run again it computes what is damaged and
// nothing else, and this machine keeps nothing of it.
func TestACohortOfObjectsIsTheFoldersOwn(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", filepath.Join(dir, "tmp"))
	if err := os.Mkdir(filepath.Join(dir, "tmp"), 0o700); err != nil {
		t.Fatal(err)
	}
	in := filepath.Join(dir, "exports")
	const n = 21
	bad := exports(t, in, n)
	err := filepath.WalkDir(in, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, _ := filepath.Rel(in, path)
		return storage.Upload(t.Context(), path, "memfs://archive/"+filepath.ToSlash(rel))
	})
	if err != nil {
		t.Fatal(err)
	}
	settings := map[string]string{"mm_per_px": "0.0977", "scale_max_kpa": "150", "organ": "muscle"}
	key := filepath.Join(dir, "key")
	do := func(out string, paths ...string) {
		t.Helper()
		c := importCommand{Paths: paths, Out: out, Key: key, PatientFrom: "name:(patient[0-9]+)", Split: 0.2, Set: settings, runFlags: runFlags{Runner: "pool", Shards: 4}}
		if err := c.Run(t.Context()); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%d files refused", bad)) {
			t.Fatalf("import into %s: %v", out, err)
		}
	}
	folder, url := filepath.Join(dir, "cohort"), "memfs://cohorts/mine"
	do(folder, in)
	do(url, "memfs://archive/*/*.npz", "memfs://archive/*/*.png")
	cohort := objects(t, url, url)
	if err := same(files(t, folder, folder), cohort); err != nil {
		t.Error(err)
	}
	private := objects(t, url+"-private", url)
	if dead := private["dead_letters.csv"]; strings.Count(dead, "memfs://archive/") != bad || strings.Contains(dead, dir) {
		t.Errorf("dead letters:\n%s", dead)
	}
	for name, content := range private {
		if strings.Contains(content, filepath.Join(dir, "tmp")) {
			t.Errorf("%s names this machine's scratch folder:\n%s", name, content)
		}
	}

	before := changes(t, url+"-private")
	if len(before) != n {
		t.Fatalf("%d records of %d files", len(before), n)
	}
	var plane string
	for name := range cohort {
		if strings.HasSuffix(name, ".npz") {
			plane = name
		}
	}
	if err := storage.Write(t.Context(), url+"/"+plane, []byte("damaged")); err != nil {
		t.Fatal(err)
	}
	do(url, "memfs://archive/*/*.npz", "memfs://archive/*/*.png")
	if err := same(cohort, objects(t, url, url)); err != nil {
		t.Errorf("after damage to %s: %v", plane, err)
	}
	again := 0
	for name, when := range changes(t, url+"-private") {
		if !when.Equal(before[name]) {
			again++
		}
	}
	if again != 1 {
		t.Errorf("%d rows were computed again for one damaged plane", again)
	}
	if left, _ := os.ReadDir(filepath.Join(dir, "tmp")); len(left) > 0 {
		t.Errorf("left on this machine: %v", left)
	}
}

// Storage that is not there, credentials that are missing or refused: a line
// with the remedy, exit code 1, and no secret in it.
func TestFaultsOfObjectStorageAreToldWithoutSecrets(t *testing.T) {
	const secret = "wJalrXUtnFEMIverysecret"
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>`)
	}))
	defer refusing.Close()
	dir := t.TempDir()
	key := filepath.Join(dir, "key")
	if err := os.WriteFile(key, []byte(strings.Repeat("0123456789abcdef", 4)), 0o600); err != nil {
		t.Fatal(err)
	}
	aws := []string{"AWS_EC2_METADATA_DISABLED=true", "AWS_REGION=eu-central-1", "AWS_MAX_ATTEMPTS=1", "AWS_CONFIG_FILE=" + dir + "/none", "AWS_SHARED_CREDENTIALS_FILE=" + dir + "/none"}
	for _, c := range []struct {
		name, in, out, says string
		env                 []string
	}{
		{"no credentials", "s3://bucket/exports/*.png", "s3://bucket/cohort", "give this machine credentials", aws},
		{"refused credentials", "s3://bucket/exports/*.png", "s3://bucket/cohort", "give this machine credentials",
			append(aws, "AWS_ENDPOINT_URL="+refusing.URL, "AWS_ACCESS_KEY_ID=AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY="+secret)},
		{"refused by Google", "gs://bucket/exports/*.png", "gs://bucket/cohort", "give this machine credentials",
			[]string{"STORAGE_EMULATOR_HOST=" + refusing.URL}},
		{"a secret in a name", "s3://AKIAEXAMPLE:" + secret + "@bucket/*.png", "s3://bucket/cohort", "holds no user, password or signature", aws},
		{"an unknown kind", "ftp://bucket/*.png", dir + "/c", "not from ftp://", nil},
		{"no such server", "s3://bucket/exports/*.png", "s3://bucket/cohort", "can be reached",
			append(aws, "AWS_ENDPOINT_URL=http://127.0.0.1:1", "AWS_ACCESS_KEY_ID=AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY="+secret)},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			command := exec.CommandContext(ctx, program, "import", c.in, "--out", c.out, "--key", key, "--runner", "pool")
			command.Env = append(os.Environ(), c.env...)
			out, _ := command.CombinedOutput()
			text := string(out)
			if code := command.ProcessState.ExitCode(); code != 1 || !strings.Contains(text, c.says) || strings.Contains(text, secret) ||
				strings.Contains(text, "goroutine") || strings.Count(text, "\n") > 2 {
				t.Errorf("exit code %d:\n%s", code, text)
			}
		})
	}
}
