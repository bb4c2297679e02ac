plugins {
    id("com.android.application") version "8.13.0"
    id("org.jetbrains.kotlin.android") version "2.2.20"
}

android {
    namespace = "org.example.phone"
    compileSdk = 36
    defaultConfig {
        applicationId = "org.example.phone"
        minSdk = 26
        targetSdk = 36
        testInstrumentationRunner = "androidx.test.runner.AndroidJUnitRunner"
    }
    // The tests run against what R8 leaves, in full mode, with the library's consumer rules and none of the app's own
    // but those that keep what only the tests call.
    testBuildType = "release"
    buildTypes {
        release {
            isMinifyEnabled = true
            proguardFiles(getDefaultProguardFile("proguard-android-optimize.txt"), "tests.pro")
            signingConfig = signingConfigs.getByName("debug")
        }
    }
}

kotlin {
    jvmToolchain(17)
}

dependencies {
    implementation("org.mlsmobile:mls-mobile-android:0.1.0@aar") { isTransitive = true }
    androidTestImplementation("androidx.test:runner:1.7.0")
    androidTestImplementation("androidx.test.ext:junit:1.3.0")
}
