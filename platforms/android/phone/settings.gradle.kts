// An app that is tested on an emulator in its shrunk form. It needs Google's repository and the Android SDK.
pluginManagement {
    repositories {
        google()
        mavenCentral()
        gradlePluginPortal()
    }
}

dependencyResolutionManagement {
    repositories {
        // What platforms/android/build.sh has installed.
        mavenLocal()
        google()
        mavenCentral()
    }
}

rootProject.name = "phone"
