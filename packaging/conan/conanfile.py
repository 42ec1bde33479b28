"""A recipe for Conan 2, to be used from a checkout of gesso: conan create packaging/conan --build=missing"""
import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load


class Gesso(ConanFile):
    name = "gesso"
    description = "Small deep-learning framework: style transfer and the study of normalization"
    license = "MIT"
    topics = ("deep-learning", "autograd", "style-transfer", "normalization")
    package_type = "library"
    settings = "os", "compiler", "build_type", "arch"
    options = {"shared": [True, False], "fPIC": [True, False], "pictures": [True, False]}
    # Two libraries with the interface of libjpeg in one program do not go together.
    default_options = {"shared": False, "fPIC": True, "pictures": True, "libtiff/*:jpeg": "libjpeg-turbo"}
    implements = ["auto_shared_fpic"]

    def _checkout(self):
        return os.path.normpath(os.path.join(self.recipe_folder, "..", ".."))

    def set_version(self):
        header = load(self, os.path.join(self._checkout(), "core", "version.h"))
        self.version = re.search(r'GESSO_VERSION "([0-9.]+)"', header).group(1)

    def export_sources(self):
        for pattern in ("CMakeLists.txt", "CHANGELOG.md", "LICENSE", "cmake/*", "core/*", "autograd/*", "layers/*", "training/*",
                        "packaging/debian/*"):
            copy(self, pattern, self._checkout(), self.export_sources_folder)

    def validate(self):
        check_min_cppstd(self, 20)

    def requirements(self):
        self.requires("nlohmann_json/[>=3.9 <4]")
        self.requires("openblas/[>=0.3.20 <1]")
        self.requires("stb/cci.20240531")
        self.requires("zlib/[>=1.2.11 <2]")
        if self.options.pictures:
            self.requires("lcms/[>=2.9 <3]")
            self.requires("libheif/[>=1.13 <2]")
            self.requires("libjpeg-turbo/[>=2.1 <4]")
            self.requires("libpng/[>=1.6 <2]")
            self.requires("libtiff/[>=4.5 <5]")
            self.requires("libwebp/[>=1.2 <2]")

    def layout(self):
        cmake_layout(self)

    def generate(self):
        CMakeDeps(self).generate()
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["GESSO_BUILD_TESTS"] = False
        toolchain.cache_variables["GESSO_BUILD_EXAMPLES"] = False
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        CMake(self).install()

    def package_info(self):
        self.cpp_info.libs = ["gesso"]
        if self.settings.os in ("Linux", "FreeBSD"):
            self.cpp_info.system_libs = ["pthread", "m"]
