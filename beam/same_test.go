package main

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"elastography/data"
	"elastography/data/npz"
)

// exports fills a folder with n scanner exports of ten a patient: one in fifty is
// a screen, which takes a second to read, the rest are arrays; one in twenty is
// damaged. It returns how many are bad.
func exports(t *testing.T, dir string, n int) (bad int) {
	t.Helper()
	f, err := os.Open("../data/scan/testdata/aixplorer_muscle_150kPa_50pct.png")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	screen, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	picture := image.NewRGBA(screen.Bounds())
	draw.Draw(picture, picture.Rect, screen, screen.Bounds().Min, draw.Src)
	for k := range n {
		// a shade in one spot of the tissue, so that no two screens are copies
		draw.Draw(picture, image.Rect(300, 560, 340, 561), image.NewUniform(color.Gray{uint8(k)}), image.Point{}, draw.Src)
		draw.Draw(picture, image.Rect(300, 562, 340, 563), image.NewUniform(color.Gray{uint8(k / 256)}), image.Point{}, draw.Src)
		var b bytes.Buffer
		if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&b, picture); err != nil {
			t.Fatal(err)
		}
		content := b.Bytes()
		path := filepath.Join(dir, fmt.Sprintf("patient%03d", k/10), fmt.Sprintf("export%04d.png", k))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		switch {
		case k%20 == 19:
			bad++
			content = content[:len(content)*2/3]
		case k%50 != 0:
			arrays(t, strings.TrimSuffix(path, ".png")+".npz", k)
			continue
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return bad
}

func arrays(t *testing.T, path string, k int) {
	t.Helper()
	const h, w = 40, 60
	grey, kPa := make([]uint8, h*w), make([]float32, h*w)
	for i := range grey {
		grey[i], kPa[i] = uint8(i+k), float32((i+3*k)%(70+k))+1
	}
	if err := npz.WriteFile(path, map[string]npz.Array{"bmode": npz.Of(grey, h, w), "swe_kpa": npz.Of(kPa, h, w)}); err != nil {
		t.Fatal(err)
	}
}

// files is every file below a folder by its path; what names the folder itself
// names "COHORT" instead.
func files(t *testing.T, dir, cohort string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		out[rel] = strings.ReplaceAll(string(b), cohort, "COHORT")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// The same files through the pool, Prism and Flink: the same bytes, the same
// dead letters, counters that add up. In -short it is the one job on Flink;
// SSWE_SCALE_FILES=1000 is the full measure.
func TestPoolPrismAndFlinkMakeTheSameCohort(t *testing.T) {
	n := 60
	if testing.Short() {
		n = 20
	}
	if text := os.Getenv("SSWE_SCALE_FILES"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	in := filepath.Join(dir, "exports")
	bad := exports(t, in, n)
	var cohort, private map[string]string
	for _, runner := range []string{"pool", "prism", "flink"} {
		ok := t.Run(runner, func(t *testing.T) {
			who := []string{"--runner", runner}
			if runner == "flink" {
				who = onFlink(t)
			}
			out := filepath.Join(dir, runner)
			args := append([]string{"import", in, "--out", out, "--key", filepath.Join(dir, "key"), "--shards", fmt.Sprint(max(8, n/50)),
				"--set", "mm_per_px=0.0977", "--set", "scale_max_kpa=150", "--set", "organ=muscle"}, who...)
			began := time.Now()
			text, code := invoke(t, args...)
			t.Logf("%d files in %.1f s: %s", n, time.Since(began).Seconds(), text)
			if want := fmt.Sprintf("rows %d, computed %d, done before 0, refused %d;", n, n, bad); code != 1 || !strings.Contains(text, want) {
				t.Fatalf("exit code %d, not %q:\n%s", code, want, text)
			}
			if c, err := data.Open(out); err != nil || len(c.Rows) != n-bad {
				t.Fatalf("%v: not %d planes", err, n-bad)
			}
			if runner == "pool" {
				cohort, private = files(t, out, out), files(t, out+"-private", out)
				return
			}
			if err := errors.Join(same(cohort, files(t, out, out)), same(private, files(t, out+"-private", out))); err != nil {
				t.Error(err)
			}
			if testing.Short() && runner == "flink" {
				return // another job's start
			}
			if text, _ := invoke(t, args...); !strings.Contains(text, fmt.Sprintf("computed 0, done before %d", n)) {
				t.Errorf("a second run:\n%s", text)
			}
		})
		if !ok {
			return
		}
	}
}

func same(want, got map[string]string) error {
	var differ []error
	for name, content := range want {
		if other, ok := got[name]; !ok || other != content {
			differ = append(differ, fmt.Errorf("%s differs (there: %v)", name, ok))
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			differ = append(differ, fmt.Errorf("%s is one too many", name))
		}
	}
	return errors.Join(differ...)
}
