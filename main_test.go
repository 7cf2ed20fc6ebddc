package main

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/suyashkumar/dicom/pkg/tag"

	"elastography/data"
	"elastography/data/scan/example"
)

// program is the built command line.
var program string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "sswe")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	program = filepath.Join(dir, "sswe")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// invoke runs the command line and returns what it printed and its exit code.
func invoke(t *testing.T, args ...string) (output string, code int) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if bytes.Contains(out, []byte("goroutine ")) {
		t.Errorf("%v panics:\n%s", args, out)
	}
	if exit != nil {
		code = exit.ExitCode()
	}
	return string(out), code
}

// smallCohort is six patients whose stiffness follows the grey level.
func smallCohort(t *testing.T) string {
	t.Helper()
	var planes []*data.Plane
	for k := range 6 {
		const h, w = 48, 72
		p := &data.Plane{Patient: fmt.Sprintf("p%03d", k), Name: "mid", Organ: "prostate", Scanner: "test", Source: data.Simulated,
			MMPerPx: 0.93, ScaleMaxKPa: 70, Height: h, Width: w, BMode: make([]uint8, h*w), SWEKPa: make([]float32, h*w),
			Saturated: make([]bool, h*w), Confidence: make([]float32, h*w)}
		for i := range p.BMode {
			wave := math.Sin(float64(i%w)/8+float64(k)) * math.Cos(float64(i/w)/6)
			p.BMode[i], p.SWEKPa[i], p.Confidence[i] = uint8(128+100*wave), float32(30+20*wave), 1
		}
		planes = append(planes, p)
	}
	dir := filepath.Join(t.TempDir(), "cohort")
	split := func(patient string) data.Split {
		if patient >= "p004" {
			return data.Test
		}
		return data.Train
	}
	if _, err := data.Save(dir, planes, split, nil, "# test\n"); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestBadInputIsOneLineThatNamesItAndTheRemedy(t *testing.T) {
	dir, cohort := t.TempDir(), smallCohort(t)
	notImage, grey, damaged := filepath.Join(dir, "text.png"), filepath.Join(dir, "grey.png"), filepath.Join(dir, "run")
	var picture bytes.Buffer
	if err := errors.Join(os.WriteFile(notImage, []byte("no picture"), 0o644), png.Encode(&picture, image.NewGray(image.Rect(0, 0, 300, 200))),
		os.WriteFile(grey, picture.Bytes(), 0o644), os.MkdirAll(filepath.Join(damaged, "checkpoint"), 0o755),
		os.WriteFile(filepath.Join(damaged, "checkpoint", "model.npz"), []byte("PK\x03\x04 half a checkpoint"), 0o644)); err != nil {
		t.Fatal(err)
	}
	truncated := smallCohort(t)
	if err := os.Truncate(filepath.Join(truncated, "p001", "mid.npz"), 700); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		says []string
	}{
		{[]string{"reproduce", "--preset", "papre", "--out", dir + "/a"}, []string{`"papre"`, "smoke"}},
		{[]string{"cohort", "--patients", "0", "--out", dir + "/b"}, []string{"0 patients"}},
		{[]string{"cohort", "--scanner", "portable", "--out", dir + "/b"}, []string{"portable", "SWE"}},
		{[]string{"cohort", "--cohorts", "0", "--out", dir + "/b"}, []string{"--cohorts is 0", "1 to 1000"}},
		{[]string{"train", "--cohort", dir + "/none", "--out", dir + "/c"}, []string{dir + "/none", "go run . cohort"}},
		{[]string{"train", "--cohort", truncated, "--preset", "smoke", "--out", dir + "/d"}, []string{"p001/mid.npz", "--skip-damaged"}},
		{[]string{"train", "--cohort", cohort, "--epochs=-1", "--out", dir + "/e"}, []string{"training.epochs is -1"}},
		{[]string{"evaluate", damaged}, []string{"config.json", "go run . reproduce"}},
		{[]string{"synthesize", grey, "--checkpoint", damaged, "--out", dir + "/f"}, []string{"model.npz", "train again"}},
		{[]string{"synthesize", grey, "--checkpoint", dir + "/none", "--out", dir + "/f"}, []string{dir + "/none", "model.npz"}},
		{[]string{"import", notImage, "--out", dir + "/g"}, []string{notImage}},
		{[]string{"import", grey, "--out", dir + "/h"}, []string{grey}},
		{[]string{"import", grey, "--box", "1,2,3", "--out", dir + "/j"}, []string{"--box", "LEFT,TOP"}},
		{[]string{"import", dir + "/missing.png", "--out", dir + "/i"}, []string{"missing.png"}},
	} {
		t.Run(strings.Join(c.args[:2], " "), func(t *testing.T) {
			out, code := invoke(t, c.args...)
			if code == 0 {
				t.Errorf("exit code 0; output:\n%s", out)
			}
			for _, word := range c.says {
				if !strings.Contains(out, word) {
					t.Errorf("the message does not name %q:\n%s", word, out)
				}
			}
			if lines := strings.Count(strings.TrimSpace(out), "\n"); lines > 3 {
				t.Errorf("%d lines where one would do:\n%s", lines+1, out)
			}
		})
	}
}

// Several cohorts lie side by side, each of a seed; one that was not finished is named, and the same command finishes it.
func TestSeveralCohortsGoOnWhereTheyStopped(t *testing.T) {
	pool := filepath.Join(t.TempDir(), "pool")
	simulate := []string{"cohort", "--cohorts", "2", "--patients", "2", "--planes", "1", "--out", pool}
	if out, code := invoke(t, simulate...); code != 0 || !strings.Contains(out, "seed-2019") || !strings.Contains(out, "seed-2020") {
		t.Fatalf("exit code %d:\n%s", code, out)
	}
	manifest := filepath.Join(pool, "seed-2020", "manifest.csv")
	whole, err := os.ReadFile(manifest)
	if err := errors.Join(err, os.Remove(manifest)); err != nil {
		t.Fatal(err)
	}
	if out, code := invoke(t, "cohort", "--validate", "--out", pool); code == 0 || !strings.Contains(out, "seed-2020 is not finished") {
		t.Errorf("an unfinished cohort in the pool: exit code %d:\n%s", code, out)
	}
	if out, code := invoke(t, simulate...); code != 0 {
		t.Fatalf("exit code %d:\n%s", code, out)
	}
	if again, err := os.ReadFile(manifest); err != nil || !bytes.Equal(again, whole) {
		t.Errorf("finished later, the cohort is another (error %v)", err)
	}
	if out, code := invoke(t, append(simulate[:len(simulate)-1], filepath.Join(pool, "seed-2019"))...); code == 0 || !strings.Contains(out, "holds a cohort itself") {
		t.Errorf("cohorts within a cohort: exit code %d:\n%s", code, out)
	}
}

// Of three exports one is damaged: the others become a cohort, which is kept; the exit code tells.
func TestImportKeepsTheGoodAndNamesTheBad(t *testing.T) {
	dir := t.TempDir()
	screen, err := os.ReadFile("data/scan/testdata/aixplorer_muscle_150kPa_50pct.png")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.MkdirAll(filepath.Join(dir, "exports", "anna"), 0o755), os.WriteFile(filepath.Join(dir, "exports", "anna", "1.png"), screen, 0o644),
		os.WriteFile(filepath.Join(dir, "exports", "half.png"), screen[:len(screen)/2], 0o644)); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "cohort")
	args := []string{"import", filepath.Join(dir, "exports"), "--organ", "muscle", "--out", out}
	for _, done := range []string{"0 of them done before", "2 of them done before"} {
		text, code := invoke(t, args...)
		if code != 1 || !strings.Contains(text, "half.png refused") || !strings.Contains(text, done) {
			t.Errorf("exit code %d:\n%s", code, text)
		}
	}
	cohort, err := data.Open(out)
	if err != nil || len(cohort.Rows) != 1 || cohort.Rows[0].ScaleMaxKPa != 150 || cohort.Rows[0].Source != data.Imported {
		t.Errorf("error %v, rows %+v", err, cohort)
	}
	if text, code := invoke(t, append(args, "--key", filepath.Join(dir, "other.key"))...); code == 0 || !strings.Contains(text, "another pseudonym key") {
		t.Errorf("a second key: exit code %d:\n%s", code, text)
	}
	if text, code := invoke(t, append(args, "--preview")...); code != 1 || !strings.Contains(text, "1 of 2 drawn in") {
		t.Errorf("preview: exit code %d:\n%s", code, text)
	}
}

func TestASecondProcessOnARunIsRefused(t *testing.T) {
	dir := t.TempDir()
	unlock, err := lockRun(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if out, code := invoke(t, "train", "--cohort", smallCohort(t), "--preset", "smoke", "--out", dir); code == 0 || !strings.Contains(out, "in use") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
}

// Killed at any moment and started again, a training ends with the same numbers and weights, to the last bit.
func TestAKilledTrainingEndsWithTheSameMetrics(t *testing.T) {
	cohort := smallCohort(t)
	args := func(out string) []string {
		return []string{"train", "--cohort", cohort, "--preset", "smoke", "--out", out}
	}
	undisturbed, disturbed := t.TempDir(), t.TempDir()
	began := time.Now()
	if out, code := invoke(t, args(undisturbed)...); code != 0 {
		t.Fatalf("exit code %d:\n%s", code, out)
	}
	whole := time.Since(began)
	for _, share := range []float64{0.5, 0.8} {
		c := exec.CommandContext(t.Context(), program, args(disturbed)...)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(share * float64(whole)))
		_ = c.Process.Signal(syscall.SIGKILL)
		_ = c.Wait()
	}
	if out, code := invoke(t, args(disturbed)...); code != 0 {
		t.Fatalf("exit code %d:\n%s", code, out)
	}
	for _, name := range []string{"metrics.json", "metrics.csv", "history.csv", "checkpoint/model.npz"} {
		a, _ := os.ReadFile(filepath.Join(undisturbed, name))
		b, err := os.ReadFile(filepath.Join(disturbed, name))
		if err != nil || len(a) == 0 || !bytes.Equal(a, b) {
			t.Errorf("%s differs after two kills (error %v)", name, err)
		}
	}
	if out, code := invoke(t, "evaluate", undisturbed); code != 0 || !strings.Contains(out, "baseline median") {
		t.Errorf("evaluate: exit code %d:\n%s", code, out)
	}
	synthesizes(t, undisturbed, cohort)
	hidesThePatient(t, undisturbed)
}

// synthesizes checks that a trained run draws a plane of its cohort, and warns of an image of another organ.
func synthesizes(t *testing.T, run, cohort string) {
	t.Helper()
	out := t.TempDir()
	if text, code := invoke(t, "synthesize", filepath.Join(cohort, "p005", "mid.npz"), "--checkpoint", run, "--out", out); code != 0 || !strings.Contains(text, "synthetic, research use") {
		t.Errorf("exit code %d:\n%s", code, text)
	}
	for _, name := range []string{"p005_mid_sswe.npz", "p005_mid_sswe.png", "p005_mid_sswe.svg", "p005_mid_overlay.png", "p005_mid_capture.dcm", "p005_mid_kpa.dcm"} {
		if info, err := os.Stat(filepath.Join(out, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s is missing", name)
		}
	}
	var picture bytes.Buffer
	noise := image.NewGray(image.Rect(0, 0, 300, 200))
	for i := range noise.Pix {
		noise.Pix[i] = uint8(i * i % 251)
	}
	file := filepath.Join(out, "muscle.png")
	if err := errors.Join(png.Encode(&picture, noise), os.WriteFile(file, picture.Bytes(), 0o644)); err != nil {
		t.Fatal(err)
	}
	if text, code := invoke(t, "synthesize", file, "--organ", "muscle", "--checkpoint", run, "--out", out); code != 0 ||
		!strings.Contains(text, "OUTSIDE THE TRAINING DOMAIN") || !strings.Contains(text, "muscle") {
		t.Errorf("exit code %d:\n%s", code, text)
	}
}

// hidesThePatient checks that nothing of a DICOM file's patient is in any file drawn from it, by name or by byte.
func hidesThePatient(t *testing.T, run string) {
	t.Helper()
	dir := t.TempDir()
	picture := image.NewRGBA(image.Rect(0, 0, 300, 200))
	for i := range picture.Pix {
		picture.Pix[i] = uint8(i / 4 % 97)
	}
	file, out := filepath.Join(dir, "SECRETFILE.dcm"), filepath.Join(dir, "out")
	if err := example.WriteDICOM(file, map[tag.Tag]string{tag.PatientName: "SECRETNAME^ANNA", tag.PatientID: "SECRETID", tag.PatientBirthDate: "19510203",
		tag.InstitutionName: "SECRETHOSPITAL", tag.ReferringPhysicianName: "SECRETDOCTOR", tag.AccessionNumber: "SECRETNUMBER",
		tag.StudyDescription: "SECRETSTUDY", tag.StudyInstanceUID: "1.2.77.88.99", tag.StudyDate: "20190807", tag.PatientComments: "SECRETCOMMENT"}, picture); err != nil {
		t.Fatal(err)
	}
	if text, code := invoke(t, "synthesize", file, "--mm-per-px", "0.2", "--crop", "10,10,290,190", "--checkpoint", run, "--out", out); code != 0 {
		t.Errorf("exit code %d:\n%s", code, text)
	}
	made, err := filepath.Glob(filepath.Join(out, "*"))
	if err != nil || len(made) < 7 {
		t.Errorf("error %v, %d files", err, len(made))
	}
	for _, path := range made {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		b = append(b, filepath.Base(path)...)
		if arrays, err := zip.OpenReader(path); err == nil {
			for _, entry := range arrays.File {
				r, err := entry.Open()
				if err != nil {
					t.Fatal(err)
				}
				unpacked, err := io.ReadAll(r)
				if err != nil {
					t.Fatal(err)
				}
				b = append(b, unpacked...)
			}
			_ = arrays.Close()
		}
		for _, word := range []string{"SECRET", "19510203", "20190807", "1.2.77.88.99", "1.2.3.4.5"} {
			if bytes.Contains(bytes.ToUpper(b), []byte(word)) {
				t.Errorf("%s holds %q", filepath.Base(path), word)
			}
		}
	}
}

// A full disk is told by name and leaves no half-written file.
func TestAFullDiskIsToldAndLeavesNoHalfFile(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("a small disk can't be mounted here (needs root): %v", err)
	}
	defer syscall.Unmount(disk, 0)
	out, code := invoke(t, "cohort", "--patients", "2", "--out", filepath.Join(disk, "cohort"))
	if code == 0 || !strings.Contains(out, "no space left") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	if _, err := os.Stat(filepath.Join(disk, "cohort", "manifest.csv")); err == nil {
		t.Error("a cohort that is not whole has a manifest")
	}
}
