def test_devices_are_filtered_by_issuer(client):
    names = client.run(
        """
        issuers = [qnx.models.IssuerEnum.QUANTINUUM]
        result = [it.device_name for it in qnx.devices.get_all(issuers=issuers)]
        """
    )
    assert "H2-1" in names
    assert "H2-1LE" in names


def test_every_device_has_backend_information_of_pytket(client):
    sizes = client.run(
        """
        result = [
            len(device.backend_info.gate_set) for device in qnx.devices.get_all()
        ]
        """
    )
    assert min(sizes) > 0


def test_devices_that_nexus_runs_and_those_that_it_does_not(client):
    both, hosted, elsewhere = client.run(
        """
        result = [
            len(qnx.devices.get_all(nexus_hosted=hosted))
            for hosted in (None, True, False)
        ]
        """
    )
    assert both == hosted + elsewhere
    assert hosted
    assert elsewhere


def test_backends_say_what_they_support(client):
    seen = client.run(
        """
        config = qnx.models.AerStateConfig()
        devices = qnx.devices
        result = [devices.supports_state(config), devices.supports_shots(config)]
        """
    )
    assert seen == [True, False]


def test_machines_are_online(client):
    seen = client.run(
        """
        config = qnx.QuantinuumConfig(device_name="H1-1")
        result = qnx.devices.status(config).value
        """
    )
    assert seen == "online"


def test_an_unknown_machine_is_not_found(http):
    answer = http.get("/api/machines/v1beta/H9-9/status")
    assert answer.status_code == 404
    assert answer.json()["message"] == "There is no machine 'H9-9'."
