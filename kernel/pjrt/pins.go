package pjrt

// pin is one wheel that carries an XLA plugin. Hashes bind the name and version to the exact bytes that were tested.
type pin struct {
	name, version string
	platform      string // GOOS/GOARCH
	wheel         string // file name of the wheel
	wheelSHA256   string
	wheelBytes    int64
	member        string // the plugin's path inside the wheel
	soSHA256      string
	soBytes       int64
	publisher     string
	license       string
	pjrtAPI       string
}

// pinned lists the wheels in order of preference. Both trained this project's networks with the same results; the second
// serves where an index does not have the first. The publishers are those that the wheels' own metadata name.
var pinned = []pin{
	{
		name: "lammps-jax-pjrt-cpu", version: "0.11.2", platform: "linux/amd64",
		wheel:       "lammps_jax_pjrt_cpu-0.11.2-py3-none-manylinux_2_27_x86_64.whl",
		wheelSHA256: "1319390d948b39f69f7dade496b7c385149d9ca6097a6b62114da113216d9ad1", wheelBytes: 62_711_338,
		member:   "lammps_jax_pjrt_cpu/pjrt_c_api_cpu_plugin.so",
		soSHA256: "ad1309ac822b1b24d51b7f9947c7c9fa9ef5d67f390584cbc3d1fa2428fed9c2", soBytes: 201_600_336,
		publisher: "lammps-jax, github.com/abhijeetgangan/lammps-jax (a third party's build of XLA)",
		license:   "Apache-2.0", pjrtAPI: "0.115",
	},
	{
		name: "fastatomstruct-xla-cpu", version: "2026.6.23", platform: "linux/amd64",
		wheel:       "fastatomstruct_xla_cpu-2026.6.23-py3-none-manylinux_2_27_x86_64.whl",
		wheelSHA256: "88b1c430b341b4bea40a37420311c9c75db6e22b46d2ff95b6986577bee6afe9", wheelBytes: 63_200_622,
		member:   "fastatomstruct_xla_cpu/libpjrt_cpu.so",
		soSHA256: "0a0fe56ca17be9efc7b942e89e534e5e0ad4a0f1e369b66d27b62184509015b9", soBytes: 273_768_800,
		publisher: "fastatomstruct, University of Münster, repackaging github.com/zml/pjrt-artifacts (a third party's build of XLA)",
		license:   "Apache-2.0", pjrtAPI: "0.106",
	},
}
