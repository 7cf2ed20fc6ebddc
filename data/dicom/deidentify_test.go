package dicom

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/suyashkumar/dicom/pkg/tag"
)

// secret is what no output may hold.
const secret = "ZQXJ"

// patientFile is a picture in which every element of the dictionary that can
// hold text, a date or a UID holds the secret, at the top and in sequences, with
// private elements and the secret burned into the pixels.
func patientFile() *testFile {
	f := picture(explicitLittle, monochrome2, 6, 8, 1, 8)
	f.pixels = []byte(strings.Repeat(secret, 12))
	leaks := map[tag.Tag]field{}
	for _, group := range []uint16{0x0008, 0x0010, 0x0012, 0x0014, 0x0018, 0x0020, 0x0022, 0x0028, 0x0032, 0x0038, 0x003A, 0x0040, 0x0042, 0x0088, 0x0400, 0x4008} {
		for element := range 1 << 16 {
			t := tag.Tag{Group: group, Element: uint16(element)}
			info, err := tag.Find(t)
			if err != nil {
				continue
			}
			if _, set := f.fields[t]; set || wanted[t] && !replaced[t] && t != tag.PatientName && t != tag.PatientBirthDate {
				continue
			}
			switch vr := info.VRs[0]; vr {
			case "SH", "LO", "ST", "LT", "UT", "PN", "CS", "AE", "UC", "UR", "IS", "DS":
				leaks[t] = field{vr, secret}
			case "UI":
				leaks[t] = field{vr, "1.2.826." + secretDigits}
			case "DA":
				leaks[t] = field{vr, secretDate}
			case "DT":
				leaks[t] = field{vr, secretDate + "0102"}
			case "AS":
				leaks[t] = field{vr, "0" + secretDigits[:2] + "Y"}
			case "TM":
				leaks[t] = field{vr, secretDigits[:6]}
			}
		}
	}
	maps.Copy(f.fields, leaks)
	f.fields[tag.Tag{Group: 0x0011, Element: 0x0010}] = field{"LO", "VENDOR " + secret}
	f.fields[tag.Tag{Group: 0x0011, Element: 0x1001}] = field{"UN", []byte(secret)}
	f.fields[tag.OtherPatientIDsSequence] = field{"SQ", []map[tag.Tag]field{{tag.PatientID: {"LO", secret}, tag.PatientName: {"PN", secret}}}}
	item := region(1, 0, 0, 3, 5)
	item[tag.RegionDataType] = field{"US", []uint16{1}}
	item[tag.ImageComments] = field{"LT", secret}
	f.fields[tag.SequenceOfUltrasoundRegions] = field{"SQ", []map[tag.Tag]field{item}}
	return f
}

const (
	secretDigits = "918273645546372819"
	secretDate   = "19471113"
)

// TestNothingOfThePatientLeaves: bar 7. Everything that this package hands out
// or writes is searched byte by byte.
func TestNothingOfThePatientLeaves(t *testing.T) {
	f := patientFile()
	source := f.bytes()
	if n := bytes.Count(source, []byte(secret)); n < 1000 {
		t.Fatalf("the test file holds the secret %d times only", n)
	}
	im, err := New("file of a patient", bytes.NewReader(source), int64(len(source)))
	if err != nil {
		t.Fatal(err)
	}
	id, report := im.Deidentify(testKey)
	dir := t.TempDir()
	p := testProvenance
	p.Source = id
	if err := WriteParametricMap(filepath.Join(dir, "map.dcm"), testMap(), p); err != nil {
		t.Fatal(err)
	}
	if err := WriteSecondaryCapture(filepath.Join(dir, "capture.dcm"), testPanel(64, 32), p); err != nil {
		t.Fatal(err)
	}
	outputs := map[string][]byte{"report": []byte(report.String())}
	for _, name := range []string{"map.dcm", "capture.dcm"} {
		if outputs[name], err = os.ReadFile(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	public := *im
	public.Name, public.file, public.close = "", nil, nil
	for what, v := range map[string]any{"identity": id, "report as JSON": report, "image": public} {
		if outputs[what], err = json.Marshal(v); err != nil && what != "image" {
			t.Fatal(err)
		}
		if what == "image" { // exported fields only
			outputs[what] = fmt.Append(nil, im.Height, im.Width, im.TransferSyntax, im.Photometric, im.SOPClassUID, im.Modality, im.Manufacturer, im.Model, im.Regions)
		}
	}
	for what, b := range outputs {
		for _, s := range []string{secret, secretDigits[:6], secretDate} {
			if bytes.Contains(b, []byte(s)) {
				t.Errorf("%s holds %q", what, s)
			}
		}
	}
	if !report.BurnedIn || report.Private != 2 || !slices.Contains(report.Removed, "PatientName") || !slices.Contains(report.Removed, "OtherPatientIDsSequence") ||
		!slices.Contains(report.Replaced, "PatientID") || len(report.Removed) < 500 {
		t.Errorf("report: burned in %v, %d private, %d removed", report.BurnedIn, report.Private, len(report.Removed))
	}
	if !bytes.Equal(source, f.bytes()) {
		t.Error("the original changed")
	}
}

// TestPseudonymsHoldTogether: the same key keeps patients, studies and intervals
// together; another key tells nothing of them.
func TestPseudonymsHoldTogether(t *testing.T) {
	visit := func(patient, study, date string, k *Key) Identity {
		f := picture(explicitLittle, monochrome2, 1, 2, 1, 8)
		f.pixels = []byte{1, 2}
		f.fields[tag.PatientID], f.fields[tag.StudyInstanceUID], f.fields[tag.StudyDate] = field{"LO", patient}, field{"UI", study}, field{"DA", date}
		im, err := f.open()
		if err != nil {
			t.Fatal(err)
		}
		id, _ := im.Deidentify(k)
		return id
	}
	other := &Key{secret: [keyBytes]byte{9}}
	a, b := visit("17", "1.2.1", "20200110", testKey), visit("17 ", "1.2.2", "20200120", testKey) // padding is no other patient
	c, d := visit("18", "1.2.1", "20200110", testKey), visit("17", "1.2.1", "20200110", other)
	if a.Patient != b.Patient || a.StudyUID == b.StudyUID || a.Patient == c.Patient || a.StudyUID != c.StudyUID || a.Patient == d.Patient || a.StudyUID == d.StudyUID {
		t.Errorf("%+v\n%+v\n%+v\n%+v", a, b, c, d)
	}
	if x, y := day(t, a.StudyDate), day(t, b.StudyDate); y-x != 10 || a.StudyDate >= "20200110" {
		t.Errorf("visits ten days apart are on %s and %s", a.StudyDate, b.StudyDate)
	}
	if !strings.HasPrefix(a.StudyUID, "2.25.") || len(a.StudyUID) > 64 {
		t.Errorf("UID %s", a.StudyUID)
	}
}
