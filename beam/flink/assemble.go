package flink

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gofrs/flock"
	"github.com/google/renameio/v2"
)

// What the cluster is made of. Flink's jars come in a Python package; Beam's
// job server comes as libraries, which Maven puts together.
const (
	flinkVersion = "1.19.3"
	flinkSHA256  = "4a58e3a1fb7d83340bc96b6c080624c6d792d69fae5d294b96224775204a9c60" // of the source package
	beamVersion  = "2.62.0"                                                           // job-service library and runner must agree
	beamSHA256   = "d48aa836447648803693560de9fa84be15fa7f9c408f3ee20b6cd6d4da4f16f6" // of all jars' hashes
	mavenPlugin  = "org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies"
)

const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>elastography</groupId><artifactId>jobserver</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.beam</groupId><artifactId>beam-runners-flink-1.19</artifactId><version>` + beamVersion + `</version></dependency>
    <dependency><groupId>org.apache.beam</groupId><artifactId>beam-runners-java-job-service</artifactId><version>` + beamVersion + `</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
`

// oldestJava is what Flink 1.19 runs on.
const oldestJava = 11

// Java says whether a Java is here that Flink runs on.
func Java(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, "java", "-version").CombinedOutput()
	if err != nil {
		return fmt.Errorf("flink: no Java answers (%w); install Java 17", err)
	}
	version, ok := javaVersion(string(out))
	if !ok {
		return fmt.Errorf("flink: `java -version` says %q, which names no version; install Java 17", strings.TrimSpace(string(out)))
	}
	if version < oldestJava {
		return fmt.Errorf("flink: this is Java %d, Flink %s needs Java %d or later; install Java 17", version, flinkVersion, oldestJava)
	}
	return nil
}

// javaVersion reads the first number of `openjdk version "17.0.15" …`; Java 8
// and older called themselves 1.8.
func javaVersion(text string) (version int, ok bool) {
	_, quoted, _ := strings.Cut(text, `version "`)
	n, _ := fmt.Sscanf(strings.TrimPrefix(quoted, "1."), "%d", &version)
	return version, n == 1
}

// Assemble makes the cluster's jars ready below the cache folder, by pip and
// Maven as they are set up here, and returns the folder that holds them. The
// first time it takes minutes and 0.7 GB; from then on it needs neither.
func Assemble(ctx context.Context, cache string, progress io.Writer) (home string, err error) {
	if err := Java(ctx); err != nil {
		return "", err
	}
	home = filepath.Join(cache, "flink-"+flinkVersion+"-beam-"+beamVersion)
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", fmt.Errorf("flink: %w", err)
	}
	lock := flock.New(home + ".lock")
	if err := lock.Lock(); err != nil {
		return "", fmt.Errorf("flink: %w", err)
	}
	defer lock.Unlock()
	if _, err := os.Stat(home); err == nil {
		return home, nil
	}
	for _, program := range []string{"mvn", "python3"} {
		if _, err := exec.LookPath(program); err != nil {
			return "", fmt.Errorf("flink: %s not found, which fetches Flink; install Maven and Python 3", program)
		}
	}
	scratch, err := os.MkdirTemp(cache, "flink-")
	if err != nil {
		return "", fmt.Errorf("flink: %w", err)
	}
	defer os.RemoveAll(scratch)
	made := filepath.Join(scratch, "made")
	fmt.Fprintf(progress, "flink: fetching Flink %s\n", flinkVersion)
	if err := fetchFlink(ctx, scratch, filepath.Join(made, "flink")); err != nil {
		return "", fmt.Errorf("flink: fetch Flink %s with pip: %w", flinkVersion, err)
	}
	fmt.Fprintf(progress, "flink: fetching Beam's job server %s\n", beamVersion)
	if err := fetchBeam(ctx, scratch, filepath.Join(made, "beam")); err != nil {
		return "", fmt.Errorf("flink: fetch Beam's job server %s with Maven: %w", beamVersion, err)
	}
	if err := os.Rename(made, home); err != nil {
		return "", fmt.Errorf("flink: %w", err)
	}
	return home, nil
}

func fetchFlink(ctx context.Context, scratch, lib string) error {
	want := filepath.Join(scratch, "requirements.txt")
	if err := renameio.WriteFile(want, []byte("apache-flink-libraries=="+flinkVersion+" --hash=sha256:"+flinkSHA256+"\n"), 0o644); err != nil {
		return err
	}
	if err := execute(ctx, scratch, "python3", "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", "--requirement", want, "--dest", scratch); err != nil {
		return err
	}
	f, err := os.Open(filepath.Join(scratch, "apache-flink-libraries-"+flinkVersion+".tar.gz"))
	if err != nil {
		return err
	}
	defer f.Close()
	return unpackJars(f, lib)
}

// unpackJars writes the jars of deps/lib in a source package into dir.
func unpackJars(r io.Reader, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	unzipped, err := gzip.NewReader(r)
	if err != nil {
		return err
	}
	jars := 0
	for files := tar.NewReader(unzipped); ; {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if !strings.HasSuffix(path.Dir(h.Name), "/deps/lib") || path.Ext(h.Name) != ".jar" {
			continue
		}
		f, err := os.Create(filepath.Join(dir, path.Base(h.Name)))
		if err != nil {
			return err
		}
		_, err = io.Copy(f, files)
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
		jars++
	}
	if jars == 0 {
		return errors.New("the package holds no jar in deps/lib")
	}
	return nil
}

func fetchBeam(ctx context.Context, scratch, lib string) error {
	if err := renameio.WriteFile(filepath.Join(scratch, "pom.xml"), []byte(pom), 0o644); err != nil {
		return err
	}
	if err := execute(ctx, scratch, "mvn", "--quiet", "--batch-mode", mavenPlugin, "-DincludeScope=runtime", "-DoutputDirectory="+lib); err != nil {
		return err
	}
	sum, err := hashJars(lib)
	if err != nil {
		return err
	}
	if sum != beamSHA256 {
		return fmt.Errorf("the jars are not those that were tried (SHA-256 of their hashes %s, not %s)", sum, beamSHA256)
	}
	return nil
}

// hashJars is what `sha256sum *.jar | sha256sum` prints in dir.
func hashJars(dir string) (string, error) {
	jars, err := filepath.Glob(filepath.Join(dir, "*.jar"))
	if err != nil {
		return "", err
	}
	slices.Sort(jars)
	all := sha256.New()
	for _, jar := range jars {
		b, err := os.ReadFile(jar)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(all, "%x  %s\n", sha256.Sum256(b), filepath.Base(jar))
	}
	return fmt.Sprintf("%x", all.Sum(nil)), nil
}

// execute runs a fetching program; its last words are the error's.
func execute(ctx context.Context, dir, name string, args ...string) error {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	if err != nil {
		const few = 600
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(out[max(0, len(out)-few):])))
	}
	return nil
}
